/**
 * Our own messages until the room shows them: the visible half of the outbox. One leaves when the
 * room shows its key as ours, or when the position has passed the seq it was acknowledged at. One that
 * is shown before its `ack` is `unconfirmed` until that comes: a failover may still take what is shown,
 * not what is acknowledged.
 */

/** Add messages at the end of those to be sent. */
export function queued(room, items) {
  return { ...room, pending: [...room.pending, ...items] };
}

/** The server has stored the message as the entry `seq`; a word that comes late counts too. */
export function acked(room, key, seq) {
  const sent = (item) => ({ ...again(item), state: "sent", seq });
  return settled(confirmed(revised(room, key, sent), key), new Set());
}

/** The message is not sent any more; it stays, to be shown as failed, if the room does not show it. */
export function failed(room, key, problem) {
  return confirmed(
    revised(room, key, (item) => ({ ...item, state: "failed", problem })),
    key,
  );
}

/** Send a message again that failed, as if it were asked for `now`. */
export function retried(room, key, now) {
  return revised(room, key, (item) => ({ ...again(item), at: now }));
}

/** Forget a message. */
export function withdrawn(room, key) {
  return { ...room, pending: room.pending.filter((item) => item.key !== key) };
}

/** The message as one to be sent. */
export function again({ seq, problem, ...item }) {
  return { ...item, state: "sending" };
}

/** Drop what the room shows: by key, or acknowledged at a seq the position has passed. */
export function settled(room, shown) {
  if (room.pending.length === 0) return room;
  const at = room.position?.seq ?? 0;
  const rest = room.pending.filter(({ key, seq }) => !shown.has(key) && !(seq <= at));
  if (rest.length === room.pending.length) return room;
  const seen = room.pending.filter(({ key, state }) => shown.has(key) && state === "sending");
  return { ...room, pending: rest, unconfirmed: [...room.unconfirmed, ...seen] };
}

/** All that is held is new: what is unconfirmed may not be shown any more. */
export function replaced(room, shown) {
  const pending = [...room.unconfirmed, ...room.pending];
  return settled({ ...room, pending, unconfirmed: [] }, shown);
}

/** The keys of our own among messages. */
export function keysIn(messages, userId) {
  return new Set(
    messages
      .filter((message) => message.user_id === userId && message.idempotency_key !== undefined)
      .map((message) => message.idempotency_key),
  );
}

function confirmed(room, key) {
  return { ...room, unconfirmed: room.unconfirmed.filter((item) => item.key !== key) };
}

function revised(room, key, revise) {
  const pending = room.pending.map((item) => (item.key === key ? revise(item) : item));
  return { ...room, pending };
}
