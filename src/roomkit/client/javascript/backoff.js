/**
 * When to try again: full jitter, so that a thousand pages cut off by one restart do not come back
 * in the same instant (protocol page, "Numbers").
 */

const BASE_MS = 500;
const CAP_MS = 20_000;

export class Backoff {
  #failures = 0;
  #random;

  /** `random()` gives a number in [0, 1). */
  constructor(random) {
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt: uniform in [0, min(cap, base · 2ⁿ)). */
  next() {
    const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    return this.#random() * ceiling;
  }

  reset() {
    this.#failures = 0;
  }
}
