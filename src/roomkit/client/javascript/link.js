/**
 * The life of the connection, without a socket: hello and welcome, heartbeat, close codes, back-off.
 * Told what happened and what time it is; says what to send, when to connect and when to give up.
 */

import { Backoff } from "./backoff.js";

const HANDSHAKE_MS = 10_000;
const PROBE_MS = 4_000;
const STEADY_MS = 5_000;
const HEARTBEAT_MS = 25_000;
const PONG_MS = 10_000;

const SESSION_REPLACED = 4005;
const HEARTBEAT_LOST = 4002;
const UNAUTHENTICATED = 4501;
const FOR_GOOD = 4500;
const OURS_END = 5000;

export class Link {
  /**
   * `phase`: "connecting", "online" after `welcome`, "waiting" until `retry_at`, "stopped" when coming
   * back by itself would be of no use (`cause` is then the data of an error, or `{close_code}`),
   * "closed" when the application wants no more.
   */
  state = { phase: "waiting", retry_at: null, cause: null };

  #identity;
  #out;
  #random;
  #backoff;
  #heardBy = Infinity;
  #probing = false;
  #onlineSince = 0;
  #advice = null;
  #heartbeat = HEARTBEAT_MS;
  #patience = PONG_MS;

  /** `identity`: what `hello` says, and may forget; `out` takes what is to be done. */
  constructor(identity, random, out) {
    this.#identity = identity;
    this.#random = random;
    this.#backoff = new Backoff(random);
    this.#out = out;
  }

  get online() {
    return this.state.phase === "online";
  }

  /** When `tick` is to be called at the latest, in milliseconds; Infinity for never. */
  get deadline() {
    return this.#heardBy;
  }

  /** A socket is being opened. */
  connecting(now) {
    this.#heardBy = now + HANDSHAKE_MS;
    this.#enter("connecting");
  }

  opened(now) {
    this.#heardBy = now + HANDSHAKE_MS;
    this.#send("hello", this.#identity.hello());
  }

  heard(now) {
    this.#probing = false;
    if (this.online) this.#heardBy = now + this.#heartbeat + this.#patience;
  }

  welcomed(data, now) {
    this.#heartbeat = data.heartbeat_ms ?? HEARTBEAT_MS;
    this.#patience = data.limits?.pong_ms ?? PONG_MS;
    this.#onlineSince = now;
    this.#identity.welcomed(data);
    this.#enter("online");
    this.heard(now);
  }

  /** An error before `welcome` refuses the hello. */
  helloRefused(error, now) {
    if (error.retryable) this.#giveUp(now);
    else this.#end("stopped", { cause: error });
  }

  closed(code, now) {
    if (code === SESSION_REPLACED) this.#identity.forgetSession();
    const forgotten = code === UNAUTHENTICATED && this.#identity.forgetSecrets();
    if (code >= FOR_GOOD && code < OURS_END && !forgotten) {
      this.#end("stopped", { cause: { close_code: code } });
    } else {
      this.#comeBack(now);
    }
  }

  /** A draining server spreads its clients: they move when told to, whether or not it closes. */
  advised({ after_ms: after, max_jitter_ms: jitter }) {
    this.#advice = after + this.#random() * jitter;
  }

  /** The network changed, the machine woke: do not wait out a long timer, do not trust the socket. */
  hinted(now) {
    if (this.state.phase === "waiting") this.retried(now);
    else if (this.online) this.#probe(now);
  }

  /** A person asked to connect now; after "stopped" nobody else may. */
  retried(now) {
    if (this.online || this.state.phase === "closed") return;
    this.#backoff.reset();
    this.#retryIn(0, now);
  }

  tick(now) {
    if (now >= this.#heardBy) this.#giveUp(now);
  }

  /** Nobody wants the connection any more. */
  stop() {
    this.#end("closed");
  }

  #probe(now) {
    if (this.#probing) return;
    this.#probing = true;
    this.#heardBy = Math.min(this.#heardBy, now + PROBE_MS);
    this.#send("ping", { t: now });
  }

  /** The socket is dead, whatever it says: let go of it without waiting for its close. */
  #giveUp(now) {
    this.#out.push({ close: HEARTBEAT_LOST });
    this.#comeBack(now);
  }

  #comeBack(now) {
    const steady = this.online && now - this.#onlineSince > STEADY_MS;
    if (steady) this.#backoff.reset();
    this.#retryIn(this.#advice ?? this.#backoff.next(), now);
  }

  #retryIn(delay, now) {
    this.#advice = null;
    this.#heardBy = Infinity;
    this.#probing = false;
    this.#out.push({ reconnect_in: delay });
    this.#enter("waiting", { retry_at: now + delay });
  }

  #end(phase, details) {
    this.#heardBy = Infinity;
    this.#out.push({ close: 1000 });
    this.#enter(phase, details);
  }

  #send(type, data) {
    this.#out.push({ send: { type, data } });
  }

  #enter(phase, details = {}) {
    this.state = { phase, retry_at: null, cause: null, ...details };
  }
}
