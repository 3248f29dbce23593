/**
 * What the log of a room says, line by line: days, groups of messages, notices, what is on its way.
 * Pure, so that the page only has to put each row where it belongs.
 */

import { dayWords } from "./words.js";

const GROUP_MS = 5 * 60_000;

/** `outgoing`: the outbox items of the room. Every row has a `key` that stays with it for life. */
export function rowsOf(view, outgoing, me) {
  const rows = [];
  let day = 0;
  for (const entry of [...view.entries, ...outgoing.map((item) => outgoingEntry(item, me))]) {
    if (entry.seq !== null && entry.seq === view.firstUnread) rows.push({ key: "new", kind: "new" });
    if (entry.at !== undefined && midnightOf(entry.at) > day) {
      day = midnightOf(entry.at);
      rows.push({ key: `day:${day}`, kind: "day", text: dayWords(entry.at) });
    }
    rows.push(entry.kind === "message" ? messageRow(entry, me) : noticeRow(entry));
  }
  return grouped(rows);
}

function outgoingEntry({ key, text, at, status, problem }, me) {
  return {
    kind: "message",
    seq: null,
    key,
    userId: me.userId,
    username: me.username,
    text,
    at,
    status,
    problem,
  };
}

/** Our own keep their idempotency key from the outbox into the log: the same row, now confirmed. */
function messageRow(entry, me) {
  const mine = entry.userId === me.userId;
  return {
    key: mine && entry.key ? `mine:${entry.key}` : `entry:${entry.seq}`,
    kind: "message",
    mine,
    userId: entry.userId,
    username: entry.username,
    text: entry.text,
    at: entry.at,
    status: entry.status ?? "sent",
    problem: entry.problem ?? null,
    outgoing: entry.seq === null ? entry.key : null,
  };
}

function noticeRow(entry) {
  return { ...entry, key: `entry:${entry.seq}` };
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
