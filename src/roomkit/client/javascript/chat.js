/**
 * A chat as an application has it: one connection that keeps coming back, and the rooms on it.
 */

import { Driver } from "./driver.js";
import { given } from "./given.js";
import { Keeping } from "./keeping.js";
import { Machine } from "./machine.js";
import { Room } from "./room.js";

export class Chat extends EventTarget {
  #options;
  #keeping;
  #machine;
  #driver;
  #rooms = new Map();
  #token = null;
  #seen = {};
  #told = false;

  /** Made by `connect`; `url` is absolute. */
  constructor(url, options) {
    super();
    this.#options = options;
    this.#keeping = new Keeping(url, options.username ?? null, options.storage);
    this.#machine = new Machine(this.#identity(), Math.random, mintKey);
    const prepare = async () => (this.#token = await tokenOf(options));
    this.#driver = new Driver(url, this.#machine, prepare, (events) => this.#after(events));
    this.#driver.start();
  }

  /** `{user, rooms}`: a value that never changes, and is replaced when anything does. */
  get view() {
    return this.#machine.view;
  }

  /** `{phase, retry_at, cause}`. */
  get connection() {
    return this.#machine.connection;
  }

  /** Who the server says we are, `{user_id, username}`; null before the first welcome. */
  get user() {
    return this.view.user;
  }

  /** Every limit and period of the server, by its name in `welcome`; empty before the first. */
  get limits() {
    return this.#machine.limits;
  }

  /** The rooms asked for, by name. */
  get rooms() {
    return new Map(this.#rooms);
  }

  /** Be in a room from now on. Asked again it is the same room, and `wish` is ignored. */
  room(name, wish = {}) {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room = new Room(name, this, this.#driver, wish);
    this.#rooms.set(name, room);
    this.#driver.do((machine) => {
      machine.join(name, wish);
      machine.restore(name, this.#keeping.unsent.filter((item) => item.room === name));
    });
    return room;
  }

  leave(room) {
    if (this.#rooms.get(room.name) !== room) return;
    this.#rooms.delete(room.name);
    room.end();
    this.#keeping.unsent = this.#keeping.unsent.filter((item) => item.room !== room.name);
    this.#driver.do((machine) => machine.leave(room.name));
  }

  /** Connect now, whatever is being waited for; after "stopped" too. */
  retryNow() {
    this.#driver.do((machine, now) => machine.retried(now));
  }

  /** Leave every room and let go of the connection, for good. */
  close() {
    for (const room of this.#rooms.values()) this.leave(room);
    this.#driver.stop();
  }

  #identity() {
    const keeping = this.#keeping;
    const { username, client } = this.#options;
    return {
      hello: () =>
        given({
          protocol: 2,
          client,
          token: this.#token ?? keeping.token,
          session: keeping.session,
          username,
        }),
      welcomed: (data) => keeping.welcomed(data),
      forgetSession: () => keeping.forgetSession(),
      forgetSecrets: () => this.#token === null && keeping.forgetSecrets(),
    };
  }

  /** Tell everybody concerned what happened: the connection, events, then that views changed. */
  #after(events) {
    if (this.#seen.connection !== this.connection) this.#tell("connection", this.connection);
    this.#seen.connection = this.connection;
    for (const room of this.#rooms.values()) room.settle();
    for (const { type, data } of events) {
      if (type === "error" || type === "welcome") this.#tell(type, data);
      else this.#rooms.get(data.room)?.tell(type, data);
    }
    if (this.#seen.view !== this.view) this.#viewChanged();
  }

  #viewChanged() {
    this.#seen.view = this.view;
    this.#keepUnsent();
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      for (const room of this.#rooms.values()) room.tellChange();
      this.#tell("change", this.view);
    });
  }

  /** Those of rooms not asked for yet stay as they are. */
  #keepUnsent() {
    const others = this.#keeping.unsent.filter((item) => !this.#rooms.has(item.room));
    const rooms = [...this.#rooms.keys()].map((name) => this.view.rooms[name]);
    const ours = rooms.flatMap(({ room, pending }) =>
      pending.filter((item) => item.state !== "sent").map((item) => ({ room, ...item })),
    );
    this.#keeping.unsent = [...others, ...ours];
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The host's own token: given as it is, or by a function asked before every connection. */
async function tokenOf({ token = null }) {
  return typeof token === "function" ? token() : token;
}

/** `crypto.randomUUID` is missing where a page is served over plain HTTP in a local network. */
function mintKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
