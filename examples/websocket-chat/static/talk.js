/**
 * The chat as this page uses it: the client, the rooms open in this tab, and what has been seen of
 * each. Whoever draws it calls the verbs below and is told when to look again.
 */

import { connect } from "/roomkit/client/roomkit.js";
import { Seen } from "./seen.js";

const HISTORY = 50;
const NOT_CONNECTED = { state: "idle", problem: null, retry_at: null };

export class Talk {
  #identity;
  #chat = null;
  #seen = new Map();
  #fetching = new Set();
  #listener = () => {};
  #onTrouble = () => {};

  /** `identity` remembers the name and the open rooms. */
  constructor(identity) {
    this.#identity = identity;
  }

  /** `listener()` after any burst of changes; `trouble(refusal)` for what did not work. */
  watch(listener, trouble) {
    this.#listener = listener;
    this.#onTrouble = trouble;
  }

  get connection() {
    return this.#chat?.connection ?? NOT_CONNECTED;
  }

  get limits() {
    return this.#chat?.limits ?? {};
  }

  /** `{user_id, username}`, by the server's word once there is one. */
  get me() {
    return this.#chat?.user ?? { user_id: null, username: this.name };
  }

  get name() {
    return this.#identity.name;
  }

  get suggestedName() {
    return this.#identity.suggestion;
  }

  /** Names of the open rooms, each with how much of it is unread, in the order they were opened. */
  get rooms() {
    return new Map([...this.#seen].map(([name, { unread }]) => [name, unread]));
  }

  /** Everything there is to show of an open room, or null. */
  room(name) {
    const seen = this.#seen.get(name);
    if (!seen) return null;
    const { notices, unread, firstUnread } = seen;
    const fetching = this.#fetching.has(name);
    return { ...this.#chat.rooms.get(name).view, notices, unread, firstUnread, fetching };
  }

  /** Speak as `name`; another name than before is another guest, who enters the open rooms anew. */
  signIn(name) {
    if (this.#chat && name === this.name) {
      this.#chat.retryNow();
      return;
    }
    this.#identity.choose(name);
    this.#seen.clear();
    const before = this.#chat;
    const chat = connect("/ws", { username: name, client: "roomkit-example-page" });
    this.#chat = chat;
    before?.close();
    chat.addEventListener("change", () => this.#listener());
    chat.addEventListener("connection", () => this.#listener());
    chat.addEventListener("error", ({ detail }) => this.#onTrouble(detail));
    for (const room of this.#identity.rooms) this.#open(room);
  }

  retryNow() {
    this.#chat?.retryNow();
  }

  /** Open a room, or ask again where we were refused or put out. */
  enter(name) {
    if (!this.#seen.has(name)) this.#open(name);
    else if (["refused", "left"].includes(this.room(name).state)) this.#room(name).join();
    this.#identity.rooms = [...this.#seen.keys()];
  }

  leave(name) {
    this.#room(name).leave();
    this.#seen.delete(name);
    this.#identity.rooms = [...this.#seen.keys()];
    this.#listener();
  }

  say(room, text) {
    this.#room(room).send(text);
  }

  retry(room, key) {
    this.#room(room).retry(key);
  }

  discard(room, key) {
    this.#room(room).discard(key);
  }

  /** Change a message as it was when its author began to change it. */
  edit(room, { id, version }, text) {
    return this.#try(this.#room(room).edit(id, text, { if_version: version }));
  }

  delete(room, id) {
    return this.#try(this.#room(room).delete(id));
  }

  /** The field of `room` holds `text` now. */
  composing(room, text) {
    if (text.trim() === "") this.stopComposing(room);
    else this.#room(room).typing();
  }

  stopComposing(room) {
    this.#chat?.rooms.get(room)?.stopTyping();
  }

  /** Say whose newest messages a person has before their eyes: a room's name, or null. */
  setReading(name) {
    let changed = false;
    for (const [room, seen] of this.#seen) changed = seen.read(room === name) || changed;
    if (changed) queueMicrotask(() => this.#listener());
  }

  turnFrom(name) {
    this.#seen.get(name)?.turnedFrom();
  }

  /** Ask for the messages before the oldest shown. */
  async fetchOlder(name) {
    const { has_before: more, state } = this.room(name);
    if (!more || state !== "joined" || this.#fetching.has(name)) return;
    this.#fetching.add(name);
    this.#listener();
    try {
      await this.#room(name).history({ limit: HISTORY });
    } catch (refusal) {
      if (refusal.code !== "disconnected") this.#onTrouble(refusal);
    } finally {
      this.#fetching.delete(name);
      this.#listener();
    }
  }

  #room(name) {
    return this.#chat.rooms.get(name);
  }

  #open(name) {
    const room = this.#chat.room(name, { history: HISTORY });
    this.#seen.set(name, new Seen(room, () => this.me.user_id));
  }

  /** Whether it worked; if not, a person is told why. */
  async #try(asked) {
    try {
      await asked;
      return true;
    } catch (refusal) {
      this.#onTrouble(refusal);
      return false;
    }
  }
}
