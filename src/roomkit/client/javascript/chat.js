/**
 * A chat as an application has it: one connection that keeps coming back, and the rooms on it.
 */

import { Driver } from "./driver.js";
import { Keeping } from "./keeping.js";
import { Machine } from "./machine.js";
import { Room } from "./room.js";

export class Chat extends EventTarget {
  #token;
  #keeping;
  #machine;
  #driver;
  #rooms = new Map();
  #connection = null;
  #told = null;
  #telling = false;

  /** Made by `connect`; `url` is absolute, `storage` may be null. */
  constructor(url, { username = null, token = null, storage, client }) {
    super();
    this.#token = token;
    this.#keeping = new Keeping(url, username, storage);
    const identity = { username, ...this.#keeping.secrets };
    this.#machine = new Machine({ ...identity, client, random: Math.random, mint: mintKey });
    this.#driver = new Driver(
      url,
      this.#machine,
      () => this.#present(),
      (events) => this.#happened(events),
    );
    this.#driver.start();
  }

  /** `{user, rooms}`: a value that never changes, and is replaced when anything does. */
  get view() {
    return this.#machine.view;
  }

  /** `{state, problem, retry_at}`. */
  get connection() {
    return this.#connection;
  }

  /** Who the server says we are, `{user_id, username}`; null before the first welcome. */
  get user() {
    return this.view.user;
  }

  /** Every limit and period of the server by its name in `welcome`; empty before the first. */
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
    const pending = this.#keeping.unsent.filter((item) => item.room === name);
    this.#rooms.set(name, room);
    room.join();
    this.#driver.tell("restore", {
      room: name,
      pending: pending.map(({ room: itsRoom, ...item }) => item),
    });
    return room;
  }

  /** `Room.leave` says this. */
  leave(room) {
    if (this.#rooms.get(room.name) !== room) return;
    this.#driver.tell("leave", { room: room.name });
    this.#rooms.delete(room.name);
    this.#keeping.keepUnsent(this.#keeping.unsent.filter((item) => item.room !== room.name));
    room.end();
  }

  /** Connect now, whatever is being waited for; after "stopped" too. */
  retryNow() {
    this.#driver.retryNow();
  }

  /** Leave every room and let go of the connection, for good. */
  close() {
    this.#driver.stop();
    for (const room of this.#rooms.values()) room.end();
    this.#rooms.clear();
  }

  async #present() {
    if (this.#token === null) return;
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    this.#machine.present({ token });
  }

  /** Tell everybody concerned: the connection, what happened, and a little later that views changed. */
  #happened(events) {
    this.#keep();
    this.#tellConnection();
    for (const { room, type, data } of events) {
      if (type === "error") this.#tell("error", data);
      else this.#rooms.get(room)?.happened(type, data);
    }
    if (this.#told === this.view || this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => this.#tellViews());
  }

  #tellConnection() {
    const before = this.#connection;
    const { state, retry_at } = this.#machine.connection;
    if (before?.state === state && before.retry_at === retry_at) return;
    this.#connection = this.#machine.connection;
    this.#tell("connection", this.#connection);
  }

  #tellViews() {
    this.#telling = false;
    this.#told = this.view;
    for (const room of this.#rooms.values()) room.seen();
    this.#tell("change", this.view);
  }

  /** Unsent messages of rooms that were not asked for yet stay as they are. */
  #keep() {
    const { token, session } = this.#machine.identity;
    this.#keeping.keepSecrets({ token: this.#token === null ? token : null, session });
    if (this.#told === this.view) return;
    const others = this.#keeping.unsent.filter((item) => !this.#rooms.has(item.room));
    const ours = [...this.#rooms.values()].flatMap(({ name, view }) =>
      [...view.unconfirmed, ...view.pending.filter((item) => item.state !== "sent")].map((item) => ({
        room: name,
        ...item,
      })),
    );
    this.#keeping.keepUnsent([...others, ...ours]);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** `crypto.randomUUID` is missing where a page is served over plain HTTP in a local network. */
function mintKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
