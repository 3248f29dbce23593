/**
 * Messages on their way: sent in order, one at a time in each room, each with an idempotency key, and
 * sent again with the same key after a cut, so that none is lost and none appears twice. The messages
 * themselves are in `pending` of the room's view; here is what the view does not show.
 */

const PAUSE_MS = 1_000;
const PAUSES = 5;
const IDEMPOTENCY_MS = 3_600_000;

export class Outbox {
  /** Longest that a message waits; well below what the server remembers its key for. */
  lifetime = IDEMPOTENCY_MS / 2;

  #inFlight = new Map();
  #paused = new Map();
  #refusals = new Map();

  /** When `tick` would change something in these rooms. */
  deadline(rooms) {
    const waiting = rooms.flatMap((room) => room.pending.filter(isUnsent));
    const expiries = waiting.map((item) => item.at + this.lifetime);
    const pauses = rooms.map((room) => this.#paused.get(room.room) ?? Infinity);
    return Math.min(Infinity, ...expiries, ...pauses);
  }

  /** The item to send next in a joined room, now in flight; or null. */
  next(room, now) {
    if (this.#inFlight.has(room.room) || now < (this.#paused.get(room.room) ?? 0)) return null;
    this.#paused.delete(room.room);
    const item = room.pending.find(isUnsent);
    if (!item) return null;
    this.#inFlight.set(room.room, item.key);
    return item;
  }

  acked(room, key, ack) {
    this.#done(room.room, key);
    return changed(room, key, (item) => ({ ...item, state: "sent", seq: ack.seq }));
  }

  /** Retryable refusals are waited out, a few times; others are final. */
  refused(room, key, error, now) {
    const refusals = (this.#refusals.get(key) ?? 0) + 1;
    if (error.retryable && refusals <= PAUSES) {
      this.#inFlight.delete(room.room);
      this.#refusals.set(key, refusals);
      const pause = error.retry_after_ms ?? PAUSE_MS * 2 ** (refusals - 1);
      this.#paused.set(room.room, now + pause);
      return room;
    }
    this.#done(room.room, key);
    return failed(room, key, error);
  }

  /** Nobody knows what became of what was in flight. */
  cut() {
    this.#inFlight.clear();
    this.#paused.clear();
  }

  /** A snapshot without what was acknowledged: the server lost it, so it is said again. */
  replaced(room) {
    return { ...room, pending: room.pending.map(unsent) };
  }

  retried(room, key, now) {
    this.#refusals.delete(key);
    return changed(room, key, (item) => ({ ...unsent(item), at: now }));
  }

  discarded(room, key) {
    if (this.#inFlight.get(room.room) === key) this.#inFlight.delete(room.room);
    return { ...room, pending: room.pending.filter((item) => item.key !== key) };
  }

  /** Fail what has waited too long. */
  expired(room, now) {
    const old = room.pending.filter((item) => isUnsent(item) && now >= item.at + this.lifetime);
    return old.reduce((rest, item) => {
      this.#done(room.room, item.key);
      return failed(rest, item.key, {
        code: "expired",
        message: "The message could not be sent in time.",
      });
    }, room);
  }

  #done(room, key) {
    if (this.#inFlight.get(room) === key) this.#inFlight.delete(room);
    this.#refusals.delete(key);
  }
}

export function added(room, item) {
  return { ...room, pending: [...room.pending, item] };
}

function isUnsent(item) {
  return item.state === "sending";
}

function unsent({ seq, problem, ...item }) {
  return { ...item, state: "sending" };
}

function failed(room, key, { code, message }) {
  return changed(room, key, (item) => ({ ...item, state: "failed", problem: { code, message } }));
}

function changed(room, key, change) {
  const pending = room.pending.map((item) => (item.key === key ? change(item) : item));
  return { ...room, pending };
}
