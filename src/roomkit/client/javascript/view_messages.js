/**
 * The messages held of a room: oldest first, by seq, as the server sent them, without holes from
 * `held_from` on.
 */

/** How many are held as new ones come; paging older ones makes it more. */
export const KEPT_MESSAGES = 1_000;

/** `data` of a `new_message`. */
export function appended(room, data) {
  const messages = [...room.messages, data];
  if (messages.length <= Math.max(KEPT_MESSAGES, room.messages.length)) return { ...room, messages };
  const kept = messages.slice(1);
  return { ...room, messages: kept, held_from: kept[0].seq, has_before: true };
}

/** A page laid over what is held; of two versions of a message the newer stays. */
export function merged(messages, page) {
  const bySeq = new Map(page.map((message) => [message.seq, message]));
  for (const message of messages) {
    const other = bySeq.get(message.seq);
    if (!other || versionOf(other) <= versionOf(message)) bySeq.set(message.seq, message);
  }
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq);
}

/** `data` of a `message_edited`. */
export function edited(room, { id, version, message, timestamp }) {
  return revised(room, id, version, (held) => ({ ...held, message, version, edited: timestamp }));
}

/** `data` of a `message_deleted`: what is left is a tombstone, for ever. */
export function deleted(room, { id, version, timestamp }) {
  return revised(room, id, version, ({ meta, reply_to, edited: last, ...rest }) => ({
    ...rest,
    message: "",
    version,
    deleted: timestamp,
  }));
}

/** Put a message in its new form, if it is held and what is held is older. */
function revised(room, id, version, revise) {
  const index = room.messages.findLastIndex((message) => message.id === id);
  const held = room.messages[index];
  if (!held || held.deleted !== undefined || versionOf(held) >= version) return room;
  return { ...room, messages: room.messages.with(index, revise(held)) };
}

function versionOf({ version = 1 }) {
  return version;
}
