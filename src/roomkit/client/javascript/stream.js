/**
 * Events as an async iterator: `for await (const event of room)`.
 */

/** How many events wait for a loop that is slow; then the oldest are let go, and it is told. */
const WAITING = 10_000;

export class Stream {
  #waiting = [];
  #missed = 0;
  #wake = () => {};
  #ended = false;
  #over;

  /** `over()` once the loop is left. */
  constructor(over) {
    this.#over = over;
  }

  push(event) {
    this.#waiting.push(event);
    if (this.#waiting.length > WAITING) {
      this.#waiting.shift();
      this.#missed += 1;
    }
    this.#wake();
  }

  /** Nothing comes any more; what waits can still be taken. */
  end() {
    this.#ended = true;
    this.#wake();
  }

  async next() {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise((resolve) => (this.#wake = resolve));
    }
    if (this.#missed > 0) {
      const value = { type: "missed", data: { events: this.#missed } };
      this.#missed = 0;
      return { done: false, value };
    }
    if (this.#waiting.length > 0) return { done: false, value: this.#waiting.shift() };
    return { done: true, value: undefined };
  }

  async return() {
    this.#over();
    this.#waiting = [];
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
