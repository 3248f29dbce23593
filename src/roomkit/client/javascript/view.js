/**
 * What a client sees: a pure fold of the server's frames into a view of its rooms. Takes a view and
 * a frame, gives a new view and shares what did not change; knows no socket, no page and no clock.
 *
 * A view is the same whether its frames came one by one, in a replay or as a snapshot (protocol
 * page, laws 5 and 6). The vectors say what it is, step by step, for every client there is.
 */

import { appended, deleted, edited, merged } from "./messages.js";
import { moderated, quieted, rosterChanged } from "./roster.js";

const NOBODY = { users: [], total: 0 };

/** A client in no room that does not know yet who it is. */
export function emptyView() {
  return { user: null, rooms: {} };
}

/** `state`: "joining" until a snapshot or while it is torn, "joined", "left", "refused". */
export function emptyRoom(room) {
  return {
    room,
    state: "joining",
    problem: null,
    position: null,
    recovered: null,
    gap: null,
    you: null,
    roster: "on",
    occupants: [],
    total: 0,
    messages: [],
    has_before: false,
    complete: true,
    typing: NOBODY,
    pending: [],
  };
}

/** Fold one frame of the server; `now` in milliseconds. */
export function apply(view, { type, data = {} }, now) {
  if (type === "welcome") return { ...view, user: data.user };
  const room = heldRoom(view, data.room);
  if (!room) return view;
  return shown(view, settled(folded(room, type, data, now), view.user));
}

/** The room of that name, or undefined; a room may be called "constructor". */
export function heldRoom(view, name) {
  return Object.hasOwn(view.rooms, name) ? view.rooms[name] : undefined;
}

/** Put a room into the view. */
export function shown(view, room) {
  if (heldRoom(view, room.room) === room) return view;
  return { ...view, rooms: { ...view.rooms, [room.room]: room } };
}

/** Each room after `change(room)`. */
export function everywhere(view, change) {
  return Object.values(view.rooms).reduce((seen, room) => shown(seen, change(room)), view);
}

/** A join was asked for; what is known stays until the answer. */
export function asked(room) {
  return { ...room, state: "joining", problem: null };
}

/** The connection is gone: what was said stays, who is typing is no longer known. */
export function cut(room) {
  const back = room.state === "joined" ? { ...room, state: "joining" } : room;
  return back.typing === NOBODY ? back : { ...back, typing: NOBODY };
}

/** The server will not have us in the room: `problem` is `{code, message}`. */
export function refused(room, { code, message }) {
  return { ...room, state: "refused", problem: { code, message }, typing: NOBODY };
}

function folded(room, type, data, now) {
  if (type === "room_joined") return joined(room, data);
  if (type === "room_left") return left(room, data);
  if (room.state !== "joined") return room;
  if (data.seq === undefined || data.link === undefined) {
    return FOLDS[type]?.(room, data, now) ?? room;
  }
  if (type === "ack" || data.seq <= room.position.seq) return room;
  if (data.seq > room.position.seq + 1) return { ...room, state: "joining" };
  const moved = { ...room, position: { seq: data.seq, link: data.link } };
  return FOLDS[type]?.(moved, data, now) ?? moved;
}

const FOLDS = {
  __proto__: null,
  new_message: (room, data) =>
    quieted({ ...room, messages: appended(room.messages, data) }, [data.username]),
  message_edited: (room, data) => ({ ...room, messages: edited(room.messages, data) }),
  message_deleted: (room, data) => ({ ...room, messages: deleted(room.messages, data) }),
  message_history: (room, data) => paged(room, data),
  roster_changed: rosterChanged,
  user_moderated: moderated,
  user_typing: (room, data) => ({ ...room, typing: typingOf(data) }),
  user_stopped_typing: (room, data) => ({ ...room, typing: typingOf(data) }),
  occupancy: (room, data) => ({ ...room, total: data.users }),
  room_gap: (room, data) => ({ ...room, state: "joining", gap: { reason: data.reason } }),
};

function typingOf({ users, total }) {
  return total === 0 ? NOBODY : { users, total };
}

/** With `recovered: true` what was held stays and the replay follows; else this replaces it. */
function joined(room, data) {
  const here = {
    ...room,
    state: "joined",
    problem: null,
    position: { seq: data.seq, link: data.link },
    recovered: data.recovered,
    gap: data.gap,
    you: data.you,
    typing: typingOf(data.typing),
  };
  if (data.recovered) return here;
  return {
    ...here,
    roster: data.roster,
    occupants: data.occupants,
    total: data.total,
    messages: data.messages,
    has_before: data.has_before,
    complete: data.complete,
  };
}

function left(room, { reason }) {
  return { ...room, state: "left", problem: { code: reason, message: "" }, typing: NOBODY };
}

/** A page: what it says of the far end counts if it reaches further back than what was held. */
function paged(room, data) {
  const messages = merged(room.messages, data.messages);
  const oldest = room.messages[0]?.seq ?? Infinity;
  if (data.messages.length > 0 && data.first_seq > oldest) return { ...room, messages };
  return { ...room, messages, has_before: data.has_before, complete: data.complete };
}

/** Drop from `pending` what the room shows: by its key, or acknowledged at a seq it has passed. */
function settled(room, user) {
  if (room.pending.length === 0 || room.position === null) return room;
  const own = room.messages.filter((message) => message.user_id === user?.user_id);
  const keys = new Set(own.map((message) => message.idempotency_key));
  const there = ({ key, seq }) => keys.has(key) || (seq !== undefined && seq <= room.position.seq);
  const pending = room.pending.filter((item) => !there(item));
  return pending.length === room.pending.length ? room : { ...room, pending };
}
