/**
 * The protocol of a client, without a socket: inputs in, instructions out, one view.
 *
 * Each call says what happened and when, and gives what to do about it, in order. The shell owns a
 * socket and one timer: it does as told, calls `tick` at `deadline` and hands the rest to the
 * application. `now` is any clock in ms that never goes back. Randomness and keys are given from
 * outside, so that a run can be repeated; the shared vectors are such runs.
 *
 * | output | |
 * |---|---|
 * | `{transmit: {type, data}}` | send this frame on the open connection |
 * | `{connect: {after_ms}}` | open a connection that long from now, instead of an earlier wish |
 * | `{disconnect: {code, reason}}` | close it, or stop opening it; no more of it is to be told here |
 * | `{state: {state, problem}}` | how the client stands to the server |
 * | `{happened: {room, type, data}}` | a frame that said something new; the view has it already |
 * | `{answered: {ticket, data}}` | what was asked with this ticket is done |
 * | `{rejected: {ticket, problem, retry_after_ms}}` | it was not, or nobody knows |
 */

import { read } from "./frames.js";
import { Link } from "./link.js";
import { STOPPED } from "./problems.js";
import { Rooms } from "./rooms.js";
import { apply, cut, expired, typingUntil } from "./view.js";

const BAD_PROTOCOL = 4500;

/** What may be asked while nothing is sent any more. */
const WHILE_STOPPED = new Set(["join", "leave", "discard", "restore"]);

export class Machine {
  #out = [];
  #link;
  #rooms;

  /**
   * `token`, `session` and `username` as they go into `hello`, or null; `client` names the program in
   * the server's logs; `random()` gives numbers in [0, 1), `mint()` a new idempotency key.
   */
  constructor({ token = null, session = null, username = null, client, random, mint }) {
    this.#link = new Link({ token, session, username }, client, random, this.#out);
    this.#rooms = new Rooms(this.#link, random, mint, this.#out);
  }

  /** What is known now. */
  get view() {
    return this.#rooms.view;
  }

  /** `{state, problem, retry_at}`: how the client stands to the server. */
  get connection() {
    const { state, problem, retryAt: retry_at } = this.#link;
    return { state, problem, retry_at };
  }

  /** What to present to be the same again: the secrets change with each `welcome`. */
  get identity() {
    return this.#link.identity;
  }

  /** The server's limits by name. */
  get limits() {
    return this.#link.limits;
  }

  /** When to call `tick`, to be read after every call; Infinity for never. */
  get deadline() {
    return Math.min(this.#link.deadline, this.#rooms.deadline, typingUntil(this.view));
  }

  // The connection

  /** Connect, for the first time or after having stopped; else nothing happens. */
  start(now) {
    const { state, retryAt } = this.#link;
    if (state === "stopped" || (state === "offline" && retryAt === null)) this.#link.connect(now);
    return this.#taken();
  }

  /** Say hello with these, of `token`, `session` and `username`, from the next connection on. */
  present(identity) {
    this.#link.identity = { ...this.#link.identity, ...identity };
  }

  /** The connection that was wished for is open. */
  opened(now) {
    this.#link.opened(now);
    return this.#taken();
  }

  /** A message came. What no roomkit server sends ends the connection. */
  received(text, now) {
    if (!this.#link.open) return this.#taken();
    this.#link.heard(now);
    try {
      this.#received(read(text), now);
    } catch {
      this.#lost(() => this.#link.giveUp(BAD_PROTOCOL, "a frame cannot be read", now));
    }
    return this.#taken();
  }

  /** The connection is over, or could not be opened (1006). */
  closed(code, now) {
    if (this.#link.state !== "stopped") this.#lost(() => this.#link.closed(code, now));
    return this.#taken();
  }

  /** The network may be back, or a person looks: do not wait for a long timer. */
  hint(now) {
    this.#link.hinted(now);
    return this.#taken();
  }

  /** Leave the rooms, close, and do not come back until `start`. */
  stop() {
    if (this.#link.state === "online") this.#rooms.leaveAll();
    this.#lost(() => this.#link.stop(null));
    return this.#taken();
  }

  /** Do what is due; early or twice is harmless. */
  tick(now) {
    if (this.#link.deadline <= now) this.#lost(() => this.#link.tick(now));
    this.#rooms.view = expired(this.view, now);
    this.#rooms.tick(now);
    return this.#taken();
  }

  // The application

  /**
   * Ask for something: `what` is one of those `Rooms` lists, `details` has its `room` and the rest.
   * `ticket`, if given, comes back in `answered` or `rejected`, exactly once.
   */
  ask(what, details, now, ticket = null) {
    if (this.#link.state === "stopped" && !WHILE_STOPPED.has(what)) {
      this.#rooms.reject(ticket, this.#link.problem ?? STOPPED);
    } else {
      this.#rooms.ask(what, details, now, ticket);
    }
    return this.#taken();
  }

  // Frames

  #received({ type, data }, now) {
    if (type === "ping") this.#link.transmit("pong", "t" in data ? { t: data.t } : {});
    else if (type === "reconnect") this.#link.advised(data, now);
    else if (type === "welcome") {
      this.#rooms.view = apply(this.view, { type, data }, now);
      this.#link.welcomed(data, now);
      this.#rooms.welcomed();
    } else if (this.#link.state === "online") {
      if (type !== "pong") this.#rooms.received({ type, data }, now);
    } else if (type === "error") {
      this.#lost(() => this.#link.declined(data, now));
    }
  }

  /** Do what may end the connection, and what follows for the rooms if it did. */
  #lost(act) {
    const wasOnline = this.#link.state === "online";
    act();
    if (wasOnline && this.#link.state !== "online") {
      this.#rooms.view = cut(this.view);
      this.#rooms.cut();
    }
    if (this.#link.state === "stopped") this.#rooms.stop(this.#link.problem ?? STOPPED);
  }

  #taken() {
    return this.#out.splice(0);
  }
}
