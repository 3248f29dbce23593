/**
 * Events as an async iterator: `for await (const event of room)`.
 */

/** How many events wait for a loop that is slow; then the oldest are let go. */
const WAITING = 10_000;

export class Stream {
  #waiting = [];
  #wake = null;
  #ended = false;
  #over;

  /** `over(stream)` once when the loop is left. */
  constructor(over) {
    this.#over = over;
  }

  push(event) {
    if (this.#ended) return;
    this.#waiting.push(event);
    if (this.#waiting.length > WAITING) this.#waiting.shift();
    this.#wake?.();
  }

  /** Nothing comes any more; what waits can still be taken. */
  end() {
    this.#ended = true;
    this.#wake?.();
  }

  async next() {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise((resolve) => (this.#wake = resolve));
    }
    if (this.#waiting.length > 0) return { done: false, value: this.#waiting.shift() };
    return { done: true, value: undefined };
  }

  async return() {
    this.#waiting = [];
    this.end();
    this.#over(this);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
