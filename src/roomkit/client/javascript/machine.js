/**
 * The protocol of a client, without a socket and without a clock: told what happened and what time it
 * is (milliseconds), it keeps the view and says what to do. Whoever drives it does what `take` gives,
 * in order, and calls `tick` when `deadline` has come.
 *
 * | output | to be done |
 * |---|---|
 * | `{send: {type, data}}` | put the frame on the socket |
 * | `{reconnect_in: ms}` | open a socket after that long, instead of any wait before; then `connecting` |
 * | `{close: code}` | let go of the socket at once; its end is not told again |
 * | `{event: {type, room?, data}}` | tell the application |
 */

import { given } from "./given.js";
import { Link } from "./link.js";
import { Outbox, added } from "./outbox.js";
import { Typing } from "./typing.js";
import { apply, asked, cut, emptyRoom, emptyView, everywhere, heldRoom, refused, shown } from "./view.js";

const TYPING_LIFE_MS = 6_000;
const REJOIN_MS = 1_000;

export class Machine {
  view = emptyView();
  limits = {};

  #out = [];
  #link;
  #outbox = new Outbox();
  #typing = new Typing((type, data) => this.#send(type, data));
  #mintKey;
  #refs = 0;
  #wasOnline = false;
  #asked = new Map();
  #wishes = new Map();
  #rejoinAt = new Map();
  #typingUntil = new Map();

  /** `identity` as in `Link`; `random()` in [0, 1); `mintKey()` gives an idempotency key. */
  constructor(identity, random, mintKey) {
    this.#link = new Link(identity, random, this.#out);
    this.#mintKey = mintKey;
  }

  /** How the connection is: see `Link`. */
  get connection() {
    return this.#link.state;
  }

  /** What is to be done now, once. */
  take() {
    return this.#out.splice(0);
  }

  get deadline() {
    return Math.min(
      this.#link.deadline,
      this.#typing.deadline,
      this.#outbox.deadline(Object.values(this.view.rooms)),
      ...this.#rejoinAt.values(),
      ...this.#typingUntil.values(),
    );
  }

  // What happened to the connection

  connecting(now) {
    this.#link.connecting(now);
  }

  opened(now) {
    this.#link.opened(now);
  }

  closed(code, now) {
    this.#link.closed(code, now);
    this.#noticeCut();
  }

  received({ type, data = {} }, now) {
    this.#link.heard(now);
    if (type === "ping") this.#send("pong", { t: data.t });
    else if (type === "welcome") this.#welcomed(data, now);
    else if (type === "reconnect") this.#link.advised(data);
    else if (type === "error" && !this.#link.online) this.#link.helloRefused(data, now);
    else if (type !== "pong") this.#told(type, data, now);
    this.#noticeCut();
  }

  /** The browser says that the network or the page is back. */
  hinted(now) {
    this.#link.hinted(now);
  }

  /** A person wants the connection now. */
  retried(now) {
    this.#link.retried(now);
  }

  tick(now) {
    this.#link.tick(now);
    this.#noticeCut();
    this.#typing.tick(now);
    for (const [room, until] of this.#typingUntil) {
      if (now >= until) this.#forgetTyping(room);
    }
    for (const [room, at] of this.#rejoinAt) if (now >= at) this.#join(room);
    for (const room of Object.values(this.view.rooms)) {
      this.#show(this.#outbox.expired(room, now));
      this.#pump(room.room, now);
    }
  }

  /** The application is done with the chat: others see it leave at once. */
  stop() {
    for (const room of Object.keys(this.view.rooms)) this.leave(room);
    this.#link.stop();
    this.#noticeCut();
  }

  // What the application asks

  /** Be in a room from now on; `wish` is what every join says besides: `{history, meta}`. */
  join(room, wish = {}) {
    this.#wishes.set(room, wish);
    this.view = shown(this.view, this.#held(room) ?? emptyRoom(room));
    this.#join(room);
  }

  leave(room) {
    if (this.#link.online) this.#ask("leave_room", { room });
    this.#wishes.delete(room);
    this.#rejoinAt.delete(room);
    this.#typingUntil.delete(room);
    this.#typing.sent(room);
    const { [room]: gone, ...rooms } = this.view.rooms;
    this.view = { ...this.view, rooms };
  }

  /** Give the key of the message, which is on its way whether or not there is a connection. */
  send(room, message, { reply_to, meta } = {}, now) {
    const key = this.#mintKey();
    this.restore(room, [{ key, message, ...given({ reply_to, meta }), state: "sending", at: now }]);
    this.#typing.sent(room);
    this.#pump(room, now);
    return key;
  }

  /** Take up messages that were on their way before the program was started again. */
  restore(room, pending) {
    this.#show(pending.reduce(added, this.view.rooms[room]));
  }

  retry(room, key, now) {
    this.#show(this.#outbox.retried(this.view.rooms[room], key, now));
    this.#pump(room, now);
  }

  discard(room, key, now) {
    this.#show(this.#outbox.discarded(this.view.rooms[room], key));
    this.#pump(room, now);
  }

  /** Give the ref the answer will have, or null if the room is not joined: nothing is sent then. */
  command(type, data) {
    return this.#isJoined(data.room) ? this.#ask(type, given(data)) : null;
  }

  type(room, now) {
    if (this.#isJoined(room)) this.#typing.typed(room, now);
  }

  stopTyping(room) {
    this.#typing.stopped(room);
  }

  // What the server said

  #welcomed(data, now) {
    this.limits = data.limits;
    this.#outbox.lifetime = data.limits.idempotency_ms / 2;
    this.#typing.resend = data.limits.typing_resend_ms;
    this.#link.welcomed(data, now);
    this.#wasOnline = true;
    this.view = apply(this.view, { type: "welcome", data }, now);
    for (const room of Object.values(this.view.rooms)) {
      if (room.state === "joining") this.#join(room.room);
    }
    this.#event("welcome", data);
  }

  #told(type, data, now) {
    const command = this.#asked.get(data.ref);
    this.#asked.delete(data.ref);
    const before = this.#held(data.room);
    this.view = apply(this.view, { type, data }, now);
    if (type === "error") this.#refused(command, data, now);
    else if (type === "ack" && command?.key) this.#acked(command, data);
    else if (before && type !== "ack") this.#roomTold(type, data, before, now);
    if (command && !command.key) this.#event(type === "error" ? "refused" : "answer", data);
    if (data.room) this.#pump(data.room, now);
  }

  #acked({ room, key }, data) {
    const held = this.#held(room);
    if (held) this.#show(this.#outbox.acked(held, key, data));
  }

  #refused(command, error, now) {
    const room = this.#held(command?.room);
    if (!command) this.#event("error", error);
    else if (room && command.key) this.#show(this.#outbox.refused(room, command.key, error, now));
    else if (room && command.type === "join_room") this.#joinRefused(room, error, now);
  }

  #joinRefused(room, error, now) {
    if (error.retryable) this.#rejoinAt.set(room.room, now + (error.retry_after_ms ?? REJOIN_MS));
    else this.#show(refused(room, error));
  }

  #roomTold(type, data, before, now) {
    const after = this.#held(data.room);
    if (type === "room_joined" && !data.recovered) this.#show(this.#outbox.replaced(after));
    if (after.typing !== before.typing) this.#watchTyping(after, data, now);
    const torn = before.state === "joined" && after.state === "joining" && type !== "room_gap";
    const passing = after.state === "joined" && data.seq === undefined;
    if (torn) this.#join(after.room);
    else if (after !== before || passing) this.#event(type, data);
  }

  #watchTyping({ room, typing }, data, now) {
    const life = data.expires_ms ?? data.typing?.expires_ms ?? TYPING_LIFE_MS;
    if (typing.total > 0) this.#typingUntil.set(room, now + life);
    else this.#typingUntil.delete(room);
  }

  #forgetTyping(room) {
    this.#typingUntil.delete(room);
    this.#show({ ...this.view.rooms[room], typing: { users: [], total: 0 } });
  }

  // What follows

  #join(room) {
    this.#rejoinAt.delete(room);
    const known = asked(this.view.rooms[room]);
    this.#show(known);
    if (!this.#link.online) return;
    const { history, meta } = this.#wishes.get(room);
    const most = Math.min(history, this.limits.history_window);
    const wish = { history: history === undefined ? null : most, meta };
    this.#ask("join_room", { room, ...given({ since: known.position, ...wish }) });
  }

  #pump(name, now) {
    const room = this.#held(name);
    if (!room || !this.#isJoined(name)) return;
    const item = this.#outbox.next(room, now);
    if (!item) return;
    const { key, message, reply_to, meta } = item;
    const data = { room: name, message, idempotency_key: key, ...given({ reply_to, meta }) };
    this.#ask("send_message", data, key);
  }

  #isJoined(room) {
    return this.#link.online && this.#held(room)?.state === "joined";
  }

  #ask(type, data, key = null) {
    const ref = String(++this.#refs);
    this.#asked.set(ref, { type, room: data.room, key });
    this.#send(type, { ...data, ref });
    return ref;
  }

  #noticeCut() {
    if (this.#link.online || !this.#wasOnline) return;
    this.#wasOnline = false;
    this.#asked.clear();
    this.#outbox.cut();
    this.#typing.cut();
    this.#typingUntil.clear();
    this.#rejoinAt.clear();
    this.view = everywhere(this.view, cut);
    this.#event("cut", {});
  }

  #held(room) {
    return heldRoom(this.view, room);
  }

  #show(room) {
    this.view = shown(this.view, room);
  }

  #send(type, data) {
    this.#out.push({ send: { type, data } });
  }

  #event(type, data) {
    this.#out.push({ event: { type, data } });
  }
}
