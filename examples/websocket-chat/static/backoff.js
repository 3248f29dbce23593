/**
 * When to try again: full jitter, so that a thousand pages cut off by one restart
 * do not come back in the same instant (protocol page, Numbers: base 0.5 s, cap 20 s).
 */

const BASE_MS = 500;
const CAP_MS = 20_000;

export class Backoff {
  #attempts = 0;
  #random;

  constructor(random = Math.random) {
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt: uniform in [0, min(cap, base · 2ⁿ)). */
  next() {
    const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** this.#attempts);
    this.#attempts = Math.min(this.#attempts + 1, 16);
    return this.#random() * ceiling;
  }

  reset() {
    this.#attempts = 0;
  }
}
