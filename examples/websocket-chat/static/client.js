/**
 * The chat without a page: who we are, the rooms we are in, what we say. Joins the connection, the
 * rooms and the outbox; whoever draws it calls the verbs below and is told when to look again.
 */

import { Connection } from "./connection.js";
import { Outbox } from "./outbox.js";
import { TypingNotice } from "./typing.js";
import * as rooms from "./rooms.js";

const HISTORY_ON_JOIN = 50;
const HISTORY_PAGE = 50;

export class ChatClient {
  me = null;
  limits = {};
  rooms = new Map();
  outbox = new Outbox(
    ({ room, text, key }) =>
      this.#connection.request("send_message", { room, message: text, idempotency_key: key }),
    () => this.#changed(),
  );

  #identity;
  #connection;
  #typing = new TypingNotice((type, data) => this.#connection.send(type, data));
  #fetching = new Set();
  #reading = null;
  #listener = () => {};
  #onTrouble = () => {};
  #told = false;

  /** `url` of the websocket; `identity` keeps names, secrets and the list of open rooms. */
  constructor(url, identity) {
    this.#identity = identity;
    this.#connection = new Connection(url, {
      hello: () => this.#hello(),
      welcomed: (data) => this.#welcomed(data),
      received: (type, data) => this.#received(type, data),
      sessionReplaced: () => identity.forgetSession(),
      changed: () => this.#connectionChanged(),
    });
    for (const name of identity.rooms) this.rooms.set(name, rooms.emptyRoom(name));
  }

  /** `listener()` once after any burst of changes; `trouble(refusal)` for an error nobody asked for. */
  watch(listener, trouble) {
    this.#listener = listener;
    this.#onTrouble = trouble;
  }

  get connection() {
    return this.#connection.state;
  }

  get name() {
    return this.#identity.name;
  }

  get suggestedName() {
    return this.#identity.suggestion;
  }

  /** Speak as `name`; another name than before is another guest, who enters the open rooms anew. */
  signIn(name) {
    if (this.me && name !== this.name) {
      for (const room of this.rooms.keys()) this.#connection.send("leave_room", { room });
      for (const room of this.rooms.keys()) this.rooms.set(room, rooms.emptyRoom(room));
      this.me = null;
    }
    this.#identity.choose(name);
    this.#connection.retryNow();
  }

  retryNow() {
    this.#connection.retryNow();
  }

  enter(name) {
    const view = this.rooms.get(name);
    if (view && view.status !== "refused" && view.status !== "removed") return;
    this.#show(rooms.emptyRoom(name));
    this.#identity.rooms = [...this.rooms.keys()];
    this.#join(name);
  }

  leave(name) {
    this.#connection.send("leave_room", { room: name });
    this.rooms.delete(name);
    this.outbox.forget(name);
    this.#identity.rooms = [...this.rooms.keys()];
    this.#changed();
  }

  say(room, text) {
    this.#typing.sent();
    this.outbox.add(room, text);
  }

  /** The field of `room` holds `text` now. */
  composing(room, text) {
    if (text.trim() === "") this.#typing.stopped();
    else this.#typing.typed(room);
  }

  stopComposing() {
    this.#typing.stopped();
  }

  /** Say whose newest messages a person has before their eyes: a room's name, or null. */
  setReading(name) {
    this.#reading = name;
    const view = this.rooms.get(name);
    if (view) this.#show(rooms.read(view));
  }

  /** A person turns to another room: what was new in this one no longer is. */
  turnFrom(name) {
    const view = this.rooms.get(name);
    if (view) this.#show(rooms.settled(view));
  }

  isFetching(name) {
    return this.#fetching.has(name);
  }

  /** Ask for the messages before the oldest shown. */
  async fetchOlder(name) {
    const view = this.rooms.get(name);
    if (!view?.hasOlder || view.status !== "joined" || this.#fetching.has(name)) return;
    const before = view.entries[0]?.seq ?? view.position.seq + 1;
    this.#fetching.add(name);
    this.#changed();
    try {
      await this.#connection.request("get_history", { room: name, before, limit: HISTORY_PAGE });
    } catch (refusal) {
      if (refusal.code !== "disconnected") this.#onTrouble(refusal);
    } finally {
      this.#fetching.delete(name);
      this.#changed();
    }
  }

  #hello() {
    return {
      protocol: 2,
      client: "roomkit-example-page",
      username: this.#identity.name,
      ...present({ token: this.#identity.token, session: this.#identity.session }),
    };
  }

  #welcomed(data) {
    this.#identity.welcomed(data);
    this.me = { userId: data.user.user_id, username: data.user.username };
    this.limits = data.limits ?? {};
    this.#typing.every = this.limits.typing_resend_ms ?? this.#typing.every;
    for (const [name, { status }] of this.rooms) {
      if (status === "joining" || status === "joined") this.#join(name);
    }
  }

  async #join(name) {
    if (this.connection.phase !== "online") return;
    const since = this.rooms.get(name).position;
    const history = Math.min(HISTORY_ON_JOIN, this.limits.history_window ?? HISTORY_ON_JOIN);
    try {
      await this.#connection.request("join_room", { room: name, history, ...present({ since }) });
    } catch (refusal) {
      this.#joinRefused(name, refusal);
      return;
    }
    this.outbox.resume(name);
  }

  #joinRefused(name, refusal) {
    const view = this.rooms.get(name);
    if (!view || refusal.code === "disconnected") return;
    if (refusal.retryAfter === null) this.#show(rooms.refused(view, refusal));
    else setTimeout(() => this.rooms.has(name) && this.#join(name), refusal.retryAfter);
  }

  #received(type, data) {
    if (type === "error") this.#onTrouble(data);
    const view = this.rooms.get(data.room);
    if (!view) return;
    const seen = rooms.fold(view, { type, data }, this.#context(data.room));
    if (seen.torn && !view.torn) this.#join(data.room);
    this.#show(seen);
    if (seen.typing !== view.typing && seen.typing.total > 0) {
      setTimeout(() => this.#expireTyping(data.room), seen.typing.until - Date.now());
    }
  }

  #context(room) {
    return { userId: this.me.userId, reading: this.#reading === room, now: Date.now() };
  }

  #expireTyping(name) {
    const view = this.rooms.get(name);
    if (view) this.#show(rooms.expired(view, Date.now()));
  }

  #connectionChanged() {
    const { phase, cause } = this.connection;
    if (phase !== "online") {
      this.#typing.sent();
      for (const view of this.rooms.values()) this.#show(rooms.cutOff(view));
    }
    const unknown = cause?.code === "unauthenticated" || cause?.closeCode === 4501;
    if (phase === "stopped" && unknown && this.#identity.token) {
      this.#identity.forgetSecrets();
      this.#connection.open();
    }
    this.#changed();
  }

  #show(view) {
    if (this.rooms.get(view.name) === view) return;
    this.rooms.set(view.name, view);
    this.#changed();
  }

  #changed() {
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      for (const view of this.rooms.values()) this.outbox.settle(view);
      this.#listener();
    });
  }
}

/** Leave out what is not there: the protocol has optional keys, not nulls. */
function present(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}
