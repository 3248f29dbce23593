/**
 * One socket that keeps coming back: hello and welcome, refs, heartbeat, close codes, back-off.
 * Knows nothing of rooms or of the page; what a frame means is its owner's business.
 */

import { Backoff } from "./backoff.js";

const HANDSHAKE_MS = 10_000;
const DEFAULT_PONG_MS = 10_000;
const PROBE_MS = 4_000;
const STEADY_MS = 5_000;
const DEFAULT_HEARTBEAT_MS = 25_000;

const SESSION_REPLACED = 4005;
const FOR_GOOD = 4500;
const OURS_END = 5000;

/** What the server said no to. `code` is stable (protocol page, Error codes) or "disconnected". */
export class Refusal extends Error {
  constructor({ code, message, retryable = false, retry_after_ms: retryAfter = null }) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfter = retryAfter;
  }
}

/**
 * Phases: "idle" before `open`, "connecting", "online" after `welcome`, "waiting" until
 * `state.retryAt` (milliseconds since the epoch), "stopped" when coming back would be of no use;
 * `state.cause` is then a Refusal or `{closeCode}`.
 */
export class Connection {
  state = { phase: "idle", retryAt: null, cause: null };

  #url;
  #owner;
  #socket = null;
  #listening = new AbortController();
  #backoff = new Backoff();
  #retryTimer = null;
  #silenceTimer = null;
  #heartbeat = DEFAULT_HEARTBEAT_MS;
  #patience = DEFAULT_PONG_MS;
  #onlineSince = 0;
  #advice = null;
  #answers = new Map();
  #lastRef = 0;

  /** `owner` has hello() → data, welcomed(data), received(type, data), sessionReplaced(), changed(). */
  constructor(url, owner) {
    this.#url = url;
    this.#owner = owner;
    window.addEventListener("online", () => this.#wake());
    window.addEventListener("offline", () => this.#wake());
    window.addEventListener("pageshow", () => this.#wake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#wake();
    });
  }

  /** Connect now, whatever was being waited for. */
  open() {
    this.#discard();
    const socket = new WebSocket(this.#url);
    const { signal } = (this.#listening = new AbortController());
    const on = (type, handle) => socket.addEventListener(type, handle, { signal });
    on("open", () => this.send("hello", this.#owner.hello()));
    on("message", (event) => this.#receive(event.data));
    on("close", (event) => this.#lost(event.code));
    this.#socket = socket;
    this.#expectWithin(HANDSHAKE_MS, () => this.#lost());
    this.#enter("connecting");
  }

  close() {
    this.#discard();
    this.#enter("idle");
  }

  /** A person asked: forget how long we have been failing. */
  retryNow() {
    this.#backoff.reset();
    this.open();
  }

  /** False when there is no open socket to put the frame on. */
  send(type, data) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ type, data }));
    return true;
  }

  /** The data of the frame that answers; rejects with a Refusal, "disconnected" included. */
  request(type, data) {
    const ref = String(++this.#lastRef);
    return new Promise((resolve, reject) => {
      if (this.state.phase === "online" && this.send(type, { ...data, ref })) {
        this.#answers.set(ref, { resolve, reject });
      } else {
        reject(disconnected());
      }
    });
  }

  #receive(text) {
    const { type, data } = JSON.parse(text);
    if (this.state.phase === "online") this.#listen();
    if (type === "ping") this.send("pong", { t: data.t });
    else if (type === "pong") return;
    else if (type === "welcome") this.#welcomed(data);
    else if (type === "reconnect") this.#moveLater(data);
    else if (type === "error" && this.state.phase === "connecting") this.#refused(data);
    else this.#dispatch(type, data);
  }

  /** The owner folds a frame before whoever waits for it goes on. */
  #dispatch(type, data) {
    const waiting = this.#answers.get(data.ref);
    this.#answers.delete(data.ref);
    if (type !== "ack" && !(type === "error" && waiting)) this.#owner.received(type, data);
    if (type === "error") waiting?.reject(new Refusal(data));
    else waiting?.resolve(data);
  }

  #welcomed(data) {
    this.#heartbeat = data.heartbeat_ms ?? DEFAULT_HEARTBEAT_MS;
    this.#patience = data.limits?.pong_ms ?? DEFAULT_PONG_MS;
    this.#onlineSince = Date.now();
    this.#listen();
    this.#enter("online");
    this.#owner.welcomed(data);
  }

  /** An error before `welcome` refuses the hello. */
  #refused(data) {
    const refusal = new Refusal(data);
    if (refusal.retryable) this.#lost();
    else this.#stop(refusal);
  }

  #lost(closeCode = null) {
    if (closeCode === SESSION_REPLACED) this.#owner.sessionReplaced();
    if (closeCode >= FOR_GOOD && closeCode < OURS_END) {
      this.#stop({ closeCode });
      return;
    }
    const steady = this.state.phase === "online" && Date.now() - this.#onlineSince > STEADY_MS;
    if (steady) this.#backoff.reset();
    this.#retryIn(this.#advice ?? this.#backoff.next());
  }

  #retryIn(delay) {
    this.#discard();
    this.#retryTimer = setTimeout(() => this.open(), delay);
    this.#enter("waiting", { retryAt: Date.now() + delay });
  }

  #stop(cause) {
    this.#discard();
    this.#enter("stopped", { cause });
  }

  /** A draining server spreads its clients: we move when told to, or that long after its close. */
  #moveLater({ after_ms: after, max_jitter_ms: jitter }) {
    this.#advice = after + Math.random() * jitter;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.open(), this.#advice);
  }

  /** The machine woke, the network changed, the tab came back: do not wait out a long timer. */
  #wake() {
    if (this.state.phase === "waiting") this.retryNow();
    else if (this.state.phase === "online") this.#probe(PROBE_MS);
  }

  #listen() {
    this.#expectWithin(this.#heartbeat, () => this.#probe(this.#patience));
  }

  #probe(patience) {
    this.send("ping", { t: Date.now() });
    this.#expectWithin(patience, () => this.#lost());
  }

  #expectWithin(delay, otherwise) {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(otherwise, delay);
  }

  /** Let go of the socket at once: a dead one would take minutes to say it has closed. */
  #discard() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    this.#listening.abort();
    this.#socket?.close();
    this.#socket = null;
    this.#advice = null;
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    for (const { reject } of answers) reject(disconnected());
  }

  #enter(phase, details = {}) {
    this.state = { phase, retryAt: null, cause: null, ...details };
    this.#owner.changed();
  }
}

function disconnected() {
  return new Refusal({ code: "disconnected", message: "The connection was lost.", retryable: true });
}
