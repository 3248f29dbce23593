/**
 * Telling a room that somebody is typing: at most every few seconds while they do, and once when
 * they stop (protocol page, Numbers: the server drops more than that, and forgets by itself).
 */

const DEFAULT_EVERY_MS = 3_000;

export class TypingNotice {
  every = DEFAULT_EVERY_MS;

  #send;
  #room = null;
  #sentAt = 0;

  /** `send(type, data)` puts a frame on the connection, if there is one. */
  constructor(send) {
    this.#send = send;
  }

  typed(room) {
    if (this.#room !== room) this.stopped();
    const now = Date.now();
    if (this.#room === room && now - this.#sentAt < this.every) return;
    this.#room = room;
    this.#sentAt = now;
    this.#send("typing_start", { room });
  }

  /** The field was cleared, or its room left. */
  stopped() {
    if (this.#room !== null) this.#send("typing_stop", { room: this.#room });
    this.#room = null;
  }

  /** The message was sent: the server ends the typing with it. */
  sent() {
    this.#room = null;
  }
}
