/**
 * Sockets and timers around the machine: whatever happens is told to it, and what it says is done.
 */

import { Refusal } from "./problems.js";

/** A timer asked to wait longer is asked again: browsers count them in 32 bits. */
const LONGEST_MS = 3_600_000;

const COULD_NOT_OPEN = 1006; // RFC 6455, 7.1.5

export class Driver {
  #url;
  #machine;
  #prepare;
  #told;
  #socket = null;
  #listening = new AbortController();
  #hints = new AbortController();
  #connectTimer = null;
  #tickTimer = null;
  #tickets = new Map();
  #lastTicket = 0;

  /**
   * `prepare()` resolves when a connection may be opened. `told(events)` after anything happened, with
   * the machine's `happened` in order, often none.
   */
  constructor(url, machine, prepare, told) {
    this.#url = url;
    this.#machine = machine;
    this.#prepare = prepare;
    this.#told = told;
  }

  start() {
    const { signal } = this.#hints;
    const hint = () => this.do((machine, now) => machine.hint(now));
    const shown = () => document.visibilityState === "visible" && hint();
    for (const type of ["online", "offline", "pageshow"]) {
      globalThis.addEventListener?.(type, hint, { signal });
    }
    globalThis.document?.addEventListener("visibilitychange", shown, { signal });
    this.do((machine, now) => machine.start(now));
  }

  /** A person wants the connection now. */
  retryNow() {
    this.do((machine, now) => [...machine.start(now), ...machine.hint(now)]);
  }

  /** Let go for good. */
  stop() {
    this.#hints.abort();
    this.do((machine) => machine.stop());
  }

  /** Ask for something nobody waits for. */
  tell(what, details) {
    this.do((machine, now) => machine.ask(what, details, now));
  }

  /** The data of what answers; rejects with a Refusal. */
  ask(what, details) {
    return new Promise((resolve, reject) => {
      this.#lastTicket += 1;
      this.#tickets.set(this.#lastTicket, { resolve, reject });
      this.do((machine, now) => machine.ask(what, details, now, this.#lastTicket));
    });
  }

  /** Tell the machine something, then do what it says. */
  do(change) {
    const happened = [];
    for (const output of change(this.#machine, Date.now())) {
      if (output.happened) happened.push(output.happened);
      else this.#obey(output);
    }
    this.#setTimer();
    this.#told(happened);
  }

  #obey({ transmit, connect, disconnect, answered, rejected }) {
    if (transmit) this.#transmit(transmit);
    else if (connect) this.#connectIn(connect.after_ms);
    else if (disconnect) this.#letGo(disconnect.code, disconnect.reason);
    else if (answered) this.#settle(answered.ticket)?.resolve(answered.data);
    else if (rejected) {
      const refusal = new Refusal(rejected.problem, rejected.retry_after_ms);
      this.#settle(rejected.ticket)?.reject(refusal);
    }
  }

  #settle(ticket) {
    const waiting = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return waiting;
  }

  #transmit(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #connectIn(afterMs) {
    this.#letGo(1000, "");
    this.#connectTimer = setTimeout(() => this.#open(), afterMs);
  }

  /** A dead socket would take minutes to say that it has closed: stop listening to it. */
  #letGo(code, reason) {
    clearTimeout(this.#connectTimer);
    this.#listening.abort();
    this.#socket?.close(code, reason);
    this.#socket = null;
  }

  async #open() {
    const { signal } = (this.#listening = new AbortController());
    try {
      await this.#prepare();
      if (!signal.aborted) this.#listen(new WebSocket(this.#url), signal);
    } catch {
      if (!signal.aborted) this.do((machine, now) => machine.closed(COULD_NOT_OPEN, now));
    }
  }

  #listen(socket, signal) {
    this.#socket = socket;
    const on = (type, tell) =>
      socket.addEventListener(
        type,
        (event) => this.do((machine, now) => tell(machine, now, event)),
        { signal },
      );
    on("open", (machine, now) => machine.opened(now));
    on("message", (machine, now, { data }) => machine.received(data, now));
    on("close", (machine, now, { code }) => machine.closed(code, now));
  }

  #setTimer() {
    clearTimeout(this.#tickTimer);
    const { deadline } = this.#machine;
    if (deadline === Infinity) return;
    const delay = Math.min(Math.max(0, deadline - Date.now()), LONGEST_MS);
    this.#tickTimer = setTimeout(() => this.do((machine, now) => machine.tick(now)), delay);
  }
}
