/**
 * The life of the connection: hello and welcome, heartbeat, close codes, when to come back. Knows
 * nothing of rooms, and no socket: it says what is to be done with one (`Machine` has the list).
 */

import { Backoff } from "./backoff.js";

/** From beginning to open a connection until `welcome`. */
const HANDSHAKE_MS = 10_000;
/** How long an answer may take after a hint that the network changed. */
const PROBE_MS = 4_000;
/** A connection that lived this long after `welcome` is no failure: the back-off begins anew. */
const STEADY_MS = 5_000;

const HEARTBEAT_MS = 25_000;
const PONG_MS = 10_000;

const NORMAL = 1000; // RFC 6455, 7.4.1
const HEARTBEAT_TIMEOUT = 4002;
const INTERNAL = 4004;
const SESSION_REPLACED = 4005;
const FOR_GOOD = new Map([
  [4500, "bad_protocol"],
  [4501, "unauthenticated"],
  [4502, "forbidden"],
  [4503, "banned"],
  [4504, "connection_limit"],
]);

export class Link {
  /** "offline" waits to try again, "connecting", "online", "stopped" will not by itself. */
  state = "offline";
  /** Why it is stopped or offline, `{code, message}`, if the server said. */
  problem = null;
  /** When the next connection is opened, while one is awaited. */
  retryAt = null;
  /** The server's, by name, once it has told. */
  limits = {};
  /** Who we are: `{token, session, username}`, each of them a string or null. */
  identity;
  /** True while frames can come. */
  open = false;

  #client;
  #random;
  #backoff;
  #out;
  #welcomedAt = 0;
  #heartbeatMs = HEARTBEAT_MS;
  #lostBy = Infinity;
  #moveAt = Infinity;
  #waitMs = null;

  /** `client`: name and version of the program, for the server's logs; `out` takes what is to do. */
  constructor(identity, client, random, out) {
    this.identity = identity;
    this.#client = client;
    this.#random = random;
    this.#backoff = new Backoff(random);
    this.#out = out;
  }

  /** When `tick` has next something to do; Infinity if never. */
  get deadline() {
    return Math.min(this.#lostBy, this.#moveAt, this.retryAt ?? Infinity);
  }

  /** Wish for a connection. */
  connect(now, afterMs = 0) {
    this.open = false;
    this.#moveAt = Infinity;
    this.retryAt = afterMs > 0 ? now + afterMs : null;
    this.#lostBy = now + afterMs + HANDSHAKE_MS;
    this.#enter(afterMs > 0 ? "offline" : "connecting");
    this.#out.push({ connect: { after_ms: afterMs } });
  }

  /** The connection is open: say hello. */
  opened(now) {
    this.open = true;
    this.retryAt = null;
    this.#lostBy = now + HANDSHAKE_MS;
    this.#enter("connecting");
    const hello = { protocol: 2, client: this.#client };
    for (const name of ["token", "session", "username"]) {
      if (this.identity[name] !== null) hello[name] = this.identity[name];
    }
    this.transmit("hello", hello);
  }

  /** Something came: whoever sends is alive. */
  heard(now) {
    if (this.state !== "online") return;
    this.#lostBy = now + this.#heartbeatMs + (this.limits.pong_ms ?? PONG_MS);
  }

  /** The server knows us. */
  welcomed({ session, guest_token: token, heartbeat_ms: heartbeatMs, limits }, now) {
    this.#heartbeatMs = Math.max(1, heartbeatMs);
    this.limits = { ...this.limits, ...limits };
    this.identity = { ...this.identity, token: token ?? this.identity.token, session };
    this.problem = null;
    this.#welcomedAt = now;
    this.#enter("online");
    this.heard(now);
  }

  /** The server refused our `hello`. */
  declined({ code, message, retryable, retry_after_ms: retryAfterMs = 0 }, now) {
    this.problem = { code, message };
    if (!retryable) {
      this.stop(this.problem);
      return;
    }
    this.#waitMs = Math.max(retryAfterMs, this.#backoff.next());
    this.giveUp(INTERNAL, "hello was refused", now);
  }

  /** The server is about to go: move when it says, sooner or later than it closes. */
  advised({ after_ms: afterMs, max_jitter_ms: jitterMs }, now) {
    this.#moveAt = now + afterMs + Math.floor(this.#random() * jitterMs);
  }

  /** The connection is over, or could not be opened. */
  closed(code, now) {
    if (this.state === "online" && now - this.#welcomedAt >= STEADY_MS) this.#backoff.reset();
    if (code === SESSION_REPLACED) this.identity = { ...this.identity, session: null };
    if (code >= 4500 && code < 5000) {
      const name = FOR_GOOD.get(code) ?? `closed_${code}`;
      this.#halt(this.problem ?? { code: name, message: "the server closed for good" });
    } else if (this.#moveAt < Infinity) {
      this.connect(now, Math.max(0, this.#moveAt - now));
    } else {
      const waitMs = this.#waitMs ?? this.#backoff.next();
      this.#waitMs = null;
      this.connect(now, waitMs);
    }
  }

  /** Treat the connection as lost, whatever the network believes. */
  giveUp(code, reason, now) {
    this.#out.push({ disconnect: { code, reason } });
    this.closed(0, now);
  }

  /** Let go, and do not come back. */
  stop(problem) {
    if (this.state !== "stopped") this.#out.push({ disconnect: { code: NORMAL, reason: "" } });
    this.#halt(problem);
  }

  /** The network or the person came back: try at once, or see whether anybody is there. */
  hinted(now) {
    if (this.state === "online") {
      this.transmit("ping", { t: now });
      this.#lostBy = Math.min(this.#lostBy, now + PROBE_MS);
    } else if (this.retryAt !== null) {
      this.#backoff.reset();
      this.connect(now);
    }
  }

  /** Do what is due. */
  tick(now) {
    if (this.retryAt !== null && this.retryAt <= now) {
      this.retryAt = null;
      this.#enter("connecting");
    }
    if (this.#moveAt <= now && this.open) this.giveUp(NORMAL, "moving, as advised", now);
    else if (this.#lostBy <= now) {
      this.giveUp(HEARTBEAT_TIMEOUT, "nothing was heard for too long", now);
    }
  }

  transmit(type, data) {
    this.#out.push({ transmit: { type, data } });
  }

  #halt(problem) {
    this.open = false;
    this.problem = problem;
    this.retryAt = null;
    this.#lostBy = this.#moveAt = Infinity;
    this.#backoff.reset();
    this.#enter("stopped");
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.#out.push({ state: { state, problem: this.problem } });
  }
}
