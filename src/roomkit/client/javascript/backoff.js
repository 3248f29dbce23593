/**
 * When to try again: full jitter, so that a thousand pages cut off at once come back spread out.
 * The numbers are the protocol page's ("Numbers").
 */

const BASE_MS = 500;
const CAP_MS = 20_000;
const DOUBLINGS = 6; // more of them are above the cap

/** Counts failures; `random()` gives numbers from 0 up to, not including, 1. */
export class Backoff {
  #random;
  #failures = 0;

  constructor(random) {
    this.#random = random;
  }

  /** Count a failure and give how long to wait, in whole ms. */
  next() {
    const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(this.#failures, DOUBLINGS));
    this.#failures += 1;
    return Math.floor(this.#random() * ceiling);
  }

  /** Something worked. */
  reset() {
    this.#failures = 0;
  }
}
