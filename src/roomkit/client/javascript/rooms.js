/**
 * The rooms of a client machine: what is asked of them, what is answered, what is joined again.
 *
 * | ask | its details besides `room` |
 * |---|---|
 * | `join` | history?, meta?, username? |
 * | `leave` | |
 * | `send` | message, reply_to?, meta? |
 * | `retry`, `discard` | key |
 * | `restore` | pending: messages that were on their way before the program was started again |
 * | `typing`, `stop_typing` | |
 * | `edit`, `delete` | id, message or reason?, if_version? |
 * | `history` | before?, after?, around?, limit? |
 * | `users` | after?, limit? |
 * | `signal` | name, payload |
 */

import { Lane } from "./lane.js";
import { TypingNotice } from "./notice.js";
import { Outbox } from "./outbox.js";
import { DISCONNECTED, NOT_JOINED } from "./problems.js";
import { Traffic } from "./traffic.js";
import { apply, heldRoom, joining, left, pagedIn, refused } from "./view.js";

const COMMANDS = {
  edit: "edit_message",
  delete: "delete_message",
  history: "get_history",
  users: "get_users",
  signal: "send_signal",
};

/** Frames that are no news of a room. */
const NO_NEWS = new Set(["room_advanced", "message_history", "room_users", "ack", "error"]);

export class Rooms {
  #link;
  #random;
  #traffic;
  #outbox;
  #notice = new TypingNotice();

  constructor(link, random, mint, out) {
    this.#link = link;
    this.#random = random;
    this.#traffic = new Traffic(link, out);
    this.#outbox = new Outbox(this.#traffic, mint);
  }

  get view() {
    return this.#traffic.view;
  }

  set view(view) {
    this.#traffic.view = view;
  }

  /** When `tick` has next something to do; Infinity if never. */
  get deadline() {
    const { ttlMs } = this.#outbox;
    const times = [...this.#traffic.lanes].map(([name, lane]) =>
      lane.deadline(this.view.rooms[name], ttlMs),
    );
    return Math.min(this.#notice.deadline, ...times);
  }

  // The connection

  /** Join what is wanted. */
  welcomed() {
    this.#notice.everyMs = this.#link.limits.typing_resend_ms ?? this.#notice.everyMs;
    for (const [name, lane] of this.#traffic.lanes) {
      if (lane.wanted && this.view.rooms[name].state === "joining") this.#join(name, lane);
    }
  }

  /** The connection is gone: what is unanswered stays so, sends and joins go again. */
  cut() {
    this.#notice.forgetAll();
    for (const lane of this.#traffic.lanes.values()) lane.cut();
    for (const { what, ticket } of this.#traffic.cut()) {
      if (what === "leave") this.#traffic.answer(ticket, {});
      else if (what !== "send") this.#traffic.reject(ticket, DISCONNECTED);
    }
  }

  /** Nothing will be sent any more. */
  stop(problem) {
    for (const name of this.#traffic.lanes.keys()) this.#outbox.fail(name, problem);
  }

  /** Say goodbye, so that nobody waits for us. */
  leaveAll() {
    for (const { room, state } of Object.values(this.view.rooms)) {
      if (state === "joined") this.#link.transmit("leave_room", { room });
    }
  }

  /** Do what is due. */
  tick(now) {
    for (const room of this.#notice.idle(now)) this.#link.transmit("typing_stop", { room });
    for (const [name, lane] of this.#traffic.lanes) {
      if (lane.joinAt !== null && lane.joinAt <= now) this.#join(name, lane);
      this.#outbox.pump(name, now);
    }
  }

  // What the application asks

  /** Do it, or say why not. */
  ask(what, details, now, ticket) {
    const { room: name } = details;
    const lane = this.#traffic.lanes.get(name);
    if (what === "join") this.#enter(details);
    else if (what === "typing" || what === "stop_typing") this.#type(what, name, now);
    else if (what === "retry" || what === "discard" || what === "restore") {
      if (lane) this.#outbox[what](details, now);
    } else if (what === "leave" && lane?.wanted) {
      this.#leave(name, lane, ticket);
      return;
    } else if (what === "send" && lane?.wanted) {
      this.#notice.forget(name);
      this.#outbox.send(details, now, ticket);
      return;
    } else if (what !== "leave") {
      this.#command(what, details, ticket);
      return;
    }
    this.#traffic.answer(ticket, {});
  }

  #enter({ room: name, ...wish }) {
    if (!this.#traffic.lanes.has(name)) this.#traffic.lanes.set(name, new Lane(this.#random));
    const lane = this.#traffic.lanes.get(name);
    lane.wanted = wish;
    const state = heldRoom(this.view, name)?.state;
    if (state === "joining" || state === "joined") return;
    this.view = joining(this.view, name);
    if (this.#traffic.online) this.#join(name, lane);
  }

  #join(name, lane) {
    const { history, ...wish } = lane.wanted;
    const most = this.#link.limits.history_window ?? history;
    const since = this.view.rooms[name].position ?? undefined;
    const details = { ...wish, history: history && Math.min(history, most), since };
    lane.joinAt = null;
    lane.joining = this.#traffic.request("join_room", { what: "join", room: name }, details);
  }

  #leave(name, lane, ticket) {
    lane.wanted = lane.joinAt = lane.joining = null;
    this.#notice.forget(name);
    this.#outbox.fail(name, NOT_JOINED);
    this.view = left(this.view, name);
    if (!this.#traffic.online) this.#traffic.answer(ticket, {});
    else this.#traffic.request("leave_room", { what: "leave", room: name, ticket }, {});
  }

  #type(what, name, now) {
    if (heldRoom(this.view, name)?.state !== "joined") return;
    const began = what === "typing" && this.#notice.pressed(name, now);
    const ended = what === "stop_typing" && this.#notice.forget(name);
    if (began) this.#link.transmit("typing_start", { room: name });
    if (ended) this.#link.transmit("typing_stop", { room: name });
  }

  #command(what, { room: name, ...details }, ticket) {
    const room = heldRoom(this.view, name);
    if (what === "send" || room?.state !== "joined") {
      this.#traffic.reject(ticket, room?.problem ?? NOT_JOINED);
      return;
    }
    const request = { what, room: name, ticket };
    if (what === "history" && details.after == null && details.around == null) {
      request.before = details.before ??= room.held_from;
    }
    this.#traffic.request(COMMANDS[what], request, details);
  }

  reject(ticket, problem) {
    this.#traffic.reject(ticket, problem);
  }

  // What the server says

  /** Take a frame of protocol 2 that is not about the connection itself. */
  received({ type, data }, now) {
    const before = this.view;
    this.view = apply(before, { type, data }, now);
    const request = this.#traffic.answeredBy(data);
    if (request) this.#answered(request, type, data, now);
    else if (type === "error") this.#traffic.happened(data.room ?? null, type, data);
    const name = request?.room ?? data.room;
    if (this.#traffic.lanes.has(name)) this.#tend(name, before, type, data, now);
  }

  /** After a frame of a room: tell of it, and keep the room's lane going. */
  #tend(name, before, type, data, now) {
    const was = before.rooms[name];
    const room = this.view.rooms[name];
    const lane = this.#traffic.lanes.get(name);
    const news = room !== was || (type === "signal" && room.state === "joined");
    if (news && !NO_NEWS.has(type)) this.#traffic.happened(name, type, data);
    if (type === "room_gap" && room !== was) lane.replaced = true;
    else if (type === "room_joined" && room.state === "joined") lane.joined();
    else if (room.state === "left" && was.state !== "left") {
      lane.wanted = null;
      this.#notice.forget(name);
      this.#outbox.fail(name, room.problem ?? NOT_JOINED);
    }
    const awaited = lane.joining !== null || lane.joinAt !== null || lane.replaced;
    if (room.state === "joining" && !awaited) this.#join(name, lane);
    this.#outbox.pump(name, now);
  }

  #answered(request, type, data, now) {
    const { what, room, ticket, before } = request;
    const lane = this.#traffic.lanes.get(room);
    if (type === "error") this.#refused(request, data, now);
    else if (what === "send") this.#outbox.acked(request, data);
    else if (what === "join") lane.joining = lane.joining === data.ref ? null : lane.joining;
    else {
      if (before !== undefined) this.view = pagedIn(this.view, room, data, before);
      this.#traffic.answer(ticket, data);
    }
  }

  #refused(request, error, now) {
    const { what, room, ticket } = request;
    const lane = this.#traffic.lanes.get(room);
    if (what === "send") this.#outbox.refused(request, error, now);
    else if (what !== "join") this.#traffic.reject(ticket, error, error.retry_after_ms);
    else if (lane.joining === error.ref) this.#joinRefused(room, lane, error, now);
  }

  #joinRefused(name, lane, { code, message, retryable, retry_after_ms: retryAfterMs }, now) {
    lane.joining = null;
    if (retryable) {
      lane.joinLater(retryAfterMs, now);
      return;
    }
    lane.wanted = null;
    this.view = refused(this.view, name, { code, message });
    this.#outbox.fail(name, { code, message });
  }
}
