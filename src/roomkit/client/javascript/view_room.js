/**
 * One room: what each frame of the server does to what is known of it.
 *
 * Pure: a room and a frame give a new room. A frame that takes a place in the log moves the position
 * if it is the very next one; an older one is a repeat, and a later one tears the room (protocol
 * page, "Entries and positions").
 */

import { appended, deleted, edited, merged } from "./view_messages.js";
import { moderated, quieted, rosterChanged } from "./view_people.js";
import { again, keysIn, replaced, settled } from "./view_pending.js";

export const NOBODY = { users: [], total: 0, until: null };

const LEFT = { kicked: "you were put out of this room: you may join again" };

/** A room that was asked for, and of which nothing is known. */
export function emptyRoom(name) {
  return {
    room: name,
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
    held_from: 1,
    has_before: false,
    complete: true,
    typing: NOBODY,
    pending: [],
    unconfirmed: [],
  };
}

/** The room after a frame of it; the very same if it says nothing new. `userId` is our own. */
export function fold(room, type, data, userId, now) {
  if (type === "room_joined") {
    const wanted = room.state === "joining" || room.state === "joined";
    return wanted ? joined(room, data, userId, now) : room;
  }
  if (room.state !== "joined") return room;
  if (data.seq === undefined || data.link === undefined) {
    return UNPLACED[type]?.(room, data, now) ?? room;
  }
  if (data.seq <= room.position.seq) return room;
  if (data.seq > room.position.seq + 1) return cutOff(room);
  const moved = { ...room, position: { seq: data.seq, link: data.link } };
  const folded = PLACED[type]?.(moved, data) ?? moved;
  return settled(folded, type === "new_message" ? keysIn([data], userId) : new Set());
}

/** Nothing more of the room comes until it is joined again; what is known is kept. */
export function cutOff(room) {
  return room.state === "joined" ? { ...room, state: "joining", typing: NOBODY } : room;
}

/**
 * The room with a page of older messages merged in, `before` as it was asked. A page that does not
 * touch what is held changes nothing: it would leave a hole.
 */
export function paged(room, data, before, userId) {
  if (before < room.held_from || room.position === null) return room;
  const older = data.messages.filter((message) => message.seq < before);
  const first = data.messages[0]?.seq ?? before;
  const reaches = first <= room.held_from && {
    held_from: first,
    has_before: data.has_before === true,
    complete: data.complete !== false,
  };
  const grown = { ...room, messages: merged(room.messages, older), ...reaches };
  return settled(grown, keysIn(data.messages, userId));
}

/** With `recovered: true` all stays and a replay follows; else the snapshot replaces it. */
function joined(room, data, userId, now) {
  const position = { seq: data.seq, link: data.link };
  if (data.recovered === true && !(room.position?.seq >= position.seq)) {
    return { ...room, state: "joining", position: null };
  }
  const here = {
    ...room,
    state: "joined",
    problem: null,
    recovered: data.recovered ?? null,
    gap: data.gap ?? null,
    you: data.you ?? null,
    typing: typingNow(data.typing, now),
    pending: room.pending.map((item) => (item.state === "sent" ? again(item) : item)),
  };
  if (data.recovered === true) return here;
  const { messages } = data;
  const fresh = {
    ...here,
    position,
    roster: data.roster === "off" ? "off" : "on",
    occupants: data.occupants,
    total: data.total,
    messages,
    held_from: messages[0]?.seq ?? position.seq + 1,
    has_before: data.has_before === true,
    complete: data.complete !== false,
  };
  return replaced(fresh, keysIn(messages, userId));
}

function gapTold(room, { reason }) {
  return { ...cutOff(room), gap: { reason } };
}

function putOut(room, { reason }) {
  const problem = reason === "left" ? null : { code: reason, message: LEFT[reason] ?? reason };
  return { ...room, state: "left", problem, typing: NOBODY };
}

function typingTold(room, data, now) {
  return { ...room, typing: typingNow(data, now) };
}

function typingNow(typing, now) {
  const { users, total, expires_ms: life } = typing ?? NOBODY;
  return total > 0 ? { users, total, until: now + life } : NOBODY;
}

function heard(room, data) {
  return quieted(appended(room, data), [data.username]);
}

function counted(room, { users }) {
  return room.roster === "on" ? room : { ...room, total: users };
}

const PLACED = {
  __proto__: null,
  new_message: heard,
  message_edited: edited,
  message_deleted: deleted,
  roster_changed: rosterChanged,
  user_moderated: moderated,
};

const UNPLACED = {
  __proto__: null,
  room_gap: gapTold,
  room_left: putOut,
  user_typing: typingTold,
  user_stopped_typing: typingTold,
  occupancy: counted,
};
