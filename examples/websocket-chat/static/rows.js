/**
 * What the log of a room says, line by line: days, groups of messages, notices, what is on its way.
 * Pure, so that the page only has to put each row where it belongs.
 */

import { dayWords } from "./words.js";

const GROUP_MS = 5 * 60_000;

/**
 * `room` as `Talk.room` gives it, `editing` the id of the message being changed. Every row has a
 * `key` that stays with it for life.
 */
export function rowsOf(room, me, editing) {
  const rows = [];
  let day = 0;
  for (const entry of entriesOf(room, me)) {
    if (entry.seq !== null && entry.seq === room.firstUnread) rows.push({ key: "new", kind: "new" });
    if (entry.at !== undefined && midnightOf(entry.at) > day) {
      day = midnightOf(entry.at);
      rows.push({ key: `day:${day}`, kind: "day", text: dayWords(entry.at) });
    }
    rows.push(entry.kind === "message" ? messageRow(entry, room, me, editing) : noticeRow(entry));
  }
  return grouped(rows);
}

function entriesOf({ messages, notices, pending, state }, me) {
  const shown = [...messages.map(messageEntry), ...notices];
  shown.sort((one, other) => one.seq - other.seq);
  return [...shown, ...pending.map((item) => pendingEntry(item, me, state))];
}

function messageEntry(data) {
  return {
    kind: data.type === "system" ? "system" : "message",
    seq: data.seq,
    id: data.id,
    userId: data.user_id,
    username: data.username,
    text: data.message,
    at: Date.parse(data.timestamp),
    key: data.idempotency_key ?? null,
    version: data.version ?? 1,
    edited: data.edited ?? null,
    deleted: data.deleted ?? null,
    status: "sent",
    problem: null,
  };
}

/** What is to be sent waits while we are not in the room. */
function pendingEntry({ key, message, at, state, problem = null }, me, roomState) {
  return {
    kind: "message",
    seq: null,
    id: null,
    key,
    userId: me.user_id,
    username: me.username,
    text: message,
    at,
    version: 1,
    edited: null,
    deleted: null,
    status: state === "sending" && roomState !== "joined" ? "waiting" : state,
    problem,
  };
}

/** Our own keep their idempotency key from the outbox into the log: the same row, now confirmed. */
function messageRow(entry, { you, state }, me, editing) {
  const mine = entry.userId === me.user_id;
  const may = (action) =>
    mine && state === "joined" && entry.id !== null && entry.deleted === null && you.can.includes(action);
  return {
    ...entry,
    key: mine && entry.key ? `mine:${entry.key}` : `entry:${entry.seq}`,
    outgoing: entry.seq === null ? entry.key : null,
    mine,
    editable: may("edit"),
    deletable: may("delete"),
    editing: editing !== null && entry.id === editing,
  };
}

function noticeRow(entry) {
  return { ...entry, key: `${entry.kind}:${entry.seq}` };
}

/** `first` and `last` of a run by one author mark where the name, the avatar and the corners go. */
function grouped(rows) {
  return rows.map((row, index) => {
    if (row.kind !== "message") return row;
    const first = !together(rows[index - 1], row);
    const last = !together(row, rows[index + 1]);
    return { ...row, first, last };
  });
}

function together(one, other) {
  return (
    one?.kind === "message" &&
    other?.kind === "message" &&
    one.userId === other.userId &&
    other.at - one.at < GROUP_MS
  );
}

/** In the reader's own time zone. */
function midnightOf(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}
