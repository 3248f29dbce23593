/**
 * The messages a client holds of one room: oldest first, by seq, as the server sent them.
 * Pure, like all of the view: each function gives a new list, or the one it was given.
 */

/** How many are held; more only while somebody pages back (protocol page, "Resume"). */
export const HELD = 1_000;

/** The newest message of a room, after those held. */
export function appended(messages, data) {
  const all = [...messages, data];
  return all.length > HELD && messages.length <= HELD ? all.slice(-HELD) : all;
}

/** A page of history laid over what is held: of two versions of a message the newer wins. */
export function merged(messages, page) {
  if (page.length === 0) return messages;
  const bySeq = new Map(messages.map((message) => [message.seq, message]));
  for (const message of page) {
    const held = bySeq.get(message.seq);
    if (!held || versionOf(message) > versionOf(held)) bySeq.set(message.seq, message);
  }
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq);
}

/** `data` of a `message_edited`. */
export function edited(messages, { id, version, message, timestamp }) {
  return revised(messages, id, version, (held) => ({
    ...held,
    message,
    version,
    edited: timestamp,
  }));
}

/** `data` of a `message_deleted`: what is left is a tombstone, for ever. */
export function deleted(messages, { id, version, timestamp }) {
  return revised(messages, id, version, (held) => {
    const { meta, reply_to, edited: before, ...rest } = held;
    return { ...rest, message: "", version, deleted: timestamp };
  });
}

function revised(messages, id, version, revise) {
  const index = messages.findIndex((message) => message.id === id);
  if (index < 0 || version <= versionOf(messages[index])) return messages;
  return messages.with(index, revise(messages[index]));
}

function versionOf(message) {
  return message.version ?? 1;
}
