/**
 * Sockets and timers around the machine: whatever happens is told to it, and what it says is done.
 */

import { Refusal } from "./refusal.js";

const LONGEST_MS = 60_000;

export class Driver {
  #url;
  #machine;
  #prepare;
  #told;
  #socket = null;
  #listening = new AbortController();
  #hints = new AbortController();
  #retryTimer = null;
  #tickTimer = null;
  #answers = new Map();

  /**
   * `prepare()` resolves when a connection may be opened. `told(events)` after anything happened: the
   * machine's events in order, often none.
   */
  constructor(url, machine, prepare, told) {
    this.#url = url;
    this.#machine = machine;
    this.#prepare = prepare;
    this.#told = told;
  }

  start() {
    const { signal } = this.#hints;
    const hint = () => this.do((machine, now) => machine.hinted(now));
    for (const type of ["online", "offline", "pageshow"]) {
      globalThis.addEventListener?.(type, hint, { signal });
    }
    globalThis.document?.addEventListener(
      "visibilitychange",
      () => document.visibilityState === "visible" && hint(),
      { signal },
    );
    this.#open();
  }

  /** Call the machine, then do what it says; gives what `change(machine, now)` gives. */
  do(change) {
    const result = change(this.#machine, Date.now());
    const events = [];
    for (const output of this.#machine.take()) {
      if (output.event) events.push(output.event);
      else this.#obey(output);
    }
    this.#setTimer();
    this.#told(events.filter((event) => !this.#answer(event)));
    return result;
  }

  /** The data of the frame that answers; rejects with a Refusal, "disconnected" included. */
  request(type, data) {
    return new Promise((resolve, reject) => {
      this.do((machine) => {
        const ref = machine.command(type, data);
        if (ref === null) reject(disconnected());
        else this.#answers.set(ref, { resolve, reject });
      });
    });
  }

  stop() {
    this.#hints.abort();
    clearTimeout(this.#retryTimer);
    this.do((machine) => machine.stop());
  }

  #obey({ send, reconnect_in: delay, close }) {
    if (send) this.#write(send);
    else if (close !== undefined) this.#letGo(close);
    else {
      clearTimeout(this.#retryTimer);
      this.#retryTimer = setTimeout(() => this.#open(), delay);
    }
  }

  #write(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** A dead socket would take minutes to say that it has closed: stop listening to it. */
  #letGo(code) {
    this.#listening.abort();
    this.#socket?.close(code);
    this.#socket = null;
  }

  async #open() {
    this.#letGo(1000);
    const { signal } = (this.#listening = new AbortController());
    this.do((machine, now) => machine.connecting(now));
    try {
      await this.#prepare();
    } catch {
      if (!signal.aborted) this.do((machine, now) => machine.closed(1006, now));
      return;
    }
    if (signal.aborted) return;
    const socket = (this.#socket = new WebSocket(this.#url));
    const on = (type, handle) =>
      socket.addEventListener(
        type,
        (event) => this.do((machine, now) => handle(machine, now, event)),
        { signal },
      );
    on("open", (machine, now) => machine.opened(now));
    on("message", (machine, now, { data }) => machine.received(JSON.parse(data), now));
    on("close", (machine, now, { code }) => machine.closed(code, now));
  }

  #setTimer() {
    clearTimeout(this.#tickTimer);
    const { deadline } = this.#machine;
    if (deadline === Infinity) return;
    const delay = Math.min(deadline - Date.now(), LONGEST_MS);
    const tick = () => this.do((machine, now) => machine.tick(now));
    this.#tickTimer = setTimeout(tick, Math.max(0, delay));
  }

  /** Whether the event was only for whoever waits for an answer. */
  #answer({ type, data }) {
    if (type === "cut") {
      const answers = [...this.#answers.values()];
      this.#answers.clear();
      for (const { reject } of answers) reject(disconnected());
    } else if (type === "answer" || type === "refused") {
      const waiting = this.#answers.get(data.ref);
      this.#answers.delete(data.ref);
      if (type === "answer") waiting?.resolve(data);
      else waiting?.reject(new Refusal(data));
    } else {
      return false;
    }
    return true;
  }
}

function disconnected() {
  return new Refusal({ code: "disconnected", message: "There is no connection.", retryable: true });
}
