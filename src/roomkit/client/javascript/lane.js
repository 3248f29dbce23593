/**
 * What is on its way to the server in one room: the join, and the outbox.
 *
 * Messages go in order, one unanswered at a time, each with an idempotency key. After a cut, or an
 * error that may pass, the same message goes again with the same key, so none is lost, none is shown
 * twice and none overtakes another. So does one that the room shows, until it is acknowledged. What is
 * carried is in the room's view; here is how far it got.
 */

import { Backoff } from "./backoff.js";

/** Messages of one room that may wait to be sent. */
export const OUTBOX_LIMIT = 1_000;

export class Lane {
  /** How to join, `{history, meta, username}`, while the application wants to be there; else null. */
  wanted = null;
  /** When to ask for the join again after an error; null if that is not awaited. */
  joinAt = null;
  /** Ref of the join that is unanswered; else null. */
  joining = null;
  /** After `room_gap`: a snapshot follows by itself. */
  replaced = false;
  /** Key of the message that is unanswered. */
  sending = null;
  /** Keys that may have reached the server. */
  tried = new Set();
  /** Tickets of those who wait for a message, by key. */
  tickets = new Map();

  #sendAt = null;
  #joinBackoff;
  #sendBackoff;

  constructor(random) {
    this.#joinBackoff = new Backoff(random);
    this.#sendBackoff = new Backoff(random);
  }

  /** Nothing is unanswered any more. */
  cut() {
    this.joinAt = this.#sendAt = this.sending = null;
    this.joining = null;
    this.replaced = false;
  }

  /** The room is there. */
  joined() {
    this.joinAt = null;
    this.joining = null;
    this.replaced = false;
    this.#joinBackoff.reset();
  }

  /** The join was refused for now. */
  joinLater(retryAfterMs, now) {
    this.joining = null;
    const waitMs = this.#joinBackoff.next();
    this.joinAt = now + (retryAfterMs ?? waitMs);
  }

  /** The message to send now, taken for sent; or null. */
  next(room, now) {
    if (this.sending !== null || this.#sendAt > now) return null;
    this.#sendAt = null;
    const [next] = unsent(room);
    if (!next) return null;
    this.sending = next.key;
    this.tried.add(next.key);
    return next;
  }

  /** The unanswered message was answered for good. */
  sent() {
    this.sending = this.#sendAt = null;
    this.#sendBackoff.reset();
  }

  /** The unanswered message was refused for now. */
  sendLater(retryAfterMs, now) {
    this.sending = null;
    const waitMs = this.#sendBackoff.next();
    this.#sendAt = now + (retryAfterMs ?? waitMs);
  }

  /** The keys of messages that waited too long and are not unanswered now. */
  overdue(room, ttlMs, now) {
    const late = unsent(room).filter((item) => this.#mayExpire(item) && item.at + ttlMs <= now);
    return new Set(late.map((item) => item.key));
  }

  /** When this lane has next something to do; Infinity if never. */
  deadline(room, ttlMs) {
    const joinAt = this.joinAt ?? Infinity;
    const first = unsent(room).find((item) => this.#mayExpire(item));
    if (!first) return joinAt;
    const sendAt = room.state === "joined" ? (this.#sendAt ?? Infinity) : Infinity;
    return Math.min(joinAt, sendAt, first.at + ttlMs);
  }

  #mayExpire(item) {
    return item.key !== this.sending;
  }
}

/** What is not acknowledged yet, in sending order. */
export function unsent({ unconfirmed, pending }) {
  return [...unconfirmed, ...pending.filter((item) => item.state === "sending")];
}
