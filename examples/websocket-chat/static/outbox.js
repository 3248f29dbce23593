/**
 * Messages on their way: sent in order, one at a time per room, each with an idempotency key, and
 * sent again with the same key after a cut, so that none is lost and none appears twice.
 */

const ATTEMPTS = 6;
const PAUSE_MS = 1_000;

export class Outbox {
  #items = [];
  #deliver;
  #changed;

  /**
   * `deliver(item)` resolves with the data of the server's ack or rejects with a Refusal, whose code
   * is "disconnected" if nobody can know what became of it. `changed()` after any change of an item.
   */
  constructor(deliver, changed) {
    this.#deliver = deliver;
    this.#changed = changed;
  }

  /** Items of a room in sending order; status "waiting", "sending", "sent" or "failed". */
  of(room) {
    return this.#items.filter((item) => item.room === room);
  }

  add(room, text) {
    this.#items.push({
      key: newKey(),
      room,
      text,
      at: Date.now(),
      status: "waiting",
      problem: null,
      seq: null,
      attempts: 0,
    });
    this.pump(room);
  }

  retry(key) {
    const item = this.#find(key);
    if (!item) return;
    item.attempts = 0;
    this.#set(item, "waiting");
    this.pump(item.room);
  }

  discard(key) {
    this.#items = this.#items.filter((item) => item.key !== key);
    this.#changed();
  }

  forget(room) {
    this.#items = this.#items.filter((item) => item.room !== room);
  }

  /** Drop what the room now shows: seen by its key, or acknowledged at a seq the room has passed. */
  settle(view) {
    if (view.position === null || this.of(view.name).length === 0) return;
    const shown = new Set(view.entries.map((entry) => entry.key));
    const arrived = ({ key, seq }) =>
      shown.has(key) || (seq !== null && seq <= view.position.seq);
    this.#items = this.#items.filter((item) => item.room !== view.name || !arrived(item));
  }

  /** Back in a room: what it does not show yet is said again, what was acknowledged too. */
  resume(room) {
    for (const item of this.of(room)) if (item.status === "sent") item.status = "waiting";
    this.pump(room);
  }

  /** Send the next message of a room, if none is being sent and none is pausing. */
  async pump(room) {
    const items = this.of(room);
    if (items.some((item) => item.status === "sending" || item.pausing)) return;
    const next = items.find((item) => item.status === "waiting");
    if (!next) return;
    this.#set(next, "sending");
    try {
      const ack = await this.#deliver(next);
      next.seq = ack.seq;
      this.#set(next, "sent");
    } catch (refusal) {
      this.#refused(next, refusal);
      if (next.status !== "failed") return;
    }
    this.pump(room);
  }

  #refused(item, refusal) {
    item.attempts += 1;
    if (refusal.code === "disconnected") {
      this.#set(item, "waiting");
    } else if (refusal.retryable && item.attempts < ATTEMPTS) {
      this.#pause(item, refusal.retryAfter ?? PAUSE_MS * 2 ** item.attempts);
    } else {
      this.#set(item, "failed", refusal);
    }
  }

  #pause(item, delay) {
    item.pausing = true;
    this.#set(item, "waiting");
    setTimeout(() => {
      item.pausing = false;
      this.pump(item.room);
    }, delay);
  }

  #set(item, status, problem = null) {
    item.status = status;
    item.problem = problem;
    this.#changed();
  }

  #find(key) {
    return this.#items.find((item) => item.key === key);
  }
}

/** `crypto.randomUUID` is missing where a page is served over plain HTTP in a local network. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
