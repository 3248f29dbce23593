/**
 * The pure client: `apply(view, frame, now)` folds what a server says into what a client knows.
 *
 * The same rules are kept by the Python client; the shared vectors hold both to them. A view is a
 * value: nothing in it is ever changed, and what a frame does not touch is shared with the view
 * before. The rest of this file is what happens to a view without a frame.
 */

import { NOBODY, cutOff, emptyRoom, fold, paged } from "./view_room.js";

/** Frames that answer a question of ours, or are none of the view's business. */
const ANSWERS = new Set(["ack", "error", "message_history", "room_users"]);

/** A client in no room that does not know yet who it is. */
export const EMPTY = { user: null, rooms: {} };

/** The view after a frame; the very same if it says nothing new. `now`: the client's clock, ms. */
export function apply(view, { type, data }, now) {
  if (type === "welcome") return welcomed(view, data);
  const room = ANSWERS.has(type) ? undefined : heldRoom(view, data.room);
  return room ? withRoom(view, fold(room, type, data, view.user?.user_id, now)) : view;
}

/** The room of that name, or undefined; a room may be called "constructor". */
export function heldRoom(view, name) {
  return Object.hasOwn(view.rooms, name) ? view.rooms[name] : undefined;
}

/** The application wants to be in a room; what is known of it from before is kept. */
export function joining(view, name) {
  const known = heldRoom(view, name);
  return withRoom(view, known ? { ...known, state: "joining", problem: null } : emptyRoom(name));
}

/** The application no longer wants to be in a room. */
export function left(view, name) {
  return withRoom(view, { ...view.rooms[name], state: "left", problem: null, typing: NOBODY });
}

/** The server does not let us into a room; `problem`: `{code, message}`. */
export function refused(view, name, problem) {
  return withRoom(view, { ...view.rooms[name], state: "refused", problem, typing: NOBODY });
}

/** The connection is gone: rooms are to be joined again, what was said stays. */
export function cut(view) {
  return everywhere(view, cutOff);
}

/** Forget typing that has run out, should the server's word for it be lost. */
export function expired(view, now) {
  return everywhere(view, (room) =>
    room.typing.until !== null && room.typing.until <= now ? { ...room, typing: NOBODY } : room,
  );
}

/** When `expired` has next something to do; Infinity if never. */
export function typingUntil(view) {
  return Math.min(...Object.values(view.rooms).map((room) => room.typing.until ?? Infinity));
}

/** Merge a page of older messages, as asked for with `before`. */
export function pagedIn(view, name, data, before) {
  return withRoom(view, paged(view.rooms[name], data, before, view.user?.user_id));
}

/** The view with this room in it. */
export function withRoom(view, room) {
  if (heldRoom(view, room.room) === room) return view;
  return { ...view, rooms: { ...view.rooms, [room.room]: room } };
}

function everywhere(view, change) {
  return Object.values(view.rooms).map(change).reduce(withRoom, view);
}

function welcomed(view, { user: { user_id, username } }) {
  const same = view.user?.user_id === user_id && view.user.username === username;
  return same ? view : { ...view, user: { user_id, username } };
}
