/**
 * Telling rooms that our user types: once per period while they do, and that they stopped. The
 * server forgets a typist by itself, twice that period after the last word.
 */

export class TypingNotice {
  /** At most one word per period; the server's `typing_resend_ms`. */
  everyMs = 3_000;

  #said = new Map();
  #pressed = new Map();

  /** Note a key; true if it is time to say so. */
  pressed(room, now) {
    this.#pressed.set(room, now);
    if (now - (this.#said.get(room) ?? -Infinity) < this.everyMs) return false;
    this.#said.set(room, now);
    return true;
  }

  /** Type there no longer; true if that was said before. */
  forget(room) {
    this.#pressed.delete(room);
    return this.#said.delete(room);
  }

  /** The connection is gone, and with it what the server knew. */
  forgetAll() {
    this.#said.clear();
    this.#pressed.clear();
  }

  /** The rooms to be told that our user stopped; they are forgotten. */
  idle(now) {
    const rooms = [...this.#pressed.keys()].filter(
      (room) => this.#pressed.get(room) + this.everyMs <= now,
    );
    for (const room of rooms) this.forget(room);
    return rooms;
  }

  /** When `idle` has next something to say; Infinity if never. */
  get deadline() {
    return Math.min(...this.#pressed.values()) + this.everyMs;
  }
}
