/**
 * Telling a room that somebody types: at most once per period while they do, and once when they
 * stop (the server drops more than that, and forgets by itself).
 */

const RESEND_MS = 3_000;

export class Typing {
  resend = RESEND_MS;

  #send;
  #rooms = new Map();

  /** `send(type, data)` puts a frame on the connection. */
  constructor(send) {
    this.#send = send;
  }

  get deadline() {
    return Math.min(Infinity, ...[...this.#rooms.values()].map(({ stopAt }) => stopAt));
  }

  /** A person changed what they are writing. */
  typed(room, now) {
    const before = this.#rooms.get(room);
    const due = !before || now - before.sentAt >= this.resend;
    this.#rooms.set(room, { sentAt: due ? now : before.sentAt, stopAt: now + this.resend });
    if (due) this.#send("typing_start", { room });
  }

  /** They emptied the field, or turned away. */
  stopped(room) {
    if (this.#rooms.delete(room)) this.#send("typing_stop", { room });
  }

  /** Their message went out, which ends it at the server too. */
  sent(room) {
    this.#rooms.delete(room);
  }

  /** Whoever wrote nothing for a whole period has stopped. */
  tick(now) {
    for (const [room, { stopAt }] of this.#rooms) if (now >= stopAt) this.stopped(room);
  }

  cut() {
    this.#rooms.clear();
  }
}
