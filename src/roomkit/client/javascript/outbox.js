/**
 * Messages of ours on their way: put into a room's `pending`, sent when it is their turn, and answered
 * when the server has them or will not.
 */

import { OUTBOX_LIMIT, unsent } from "./lane.js";
import { EXPIRED, OUTBOX_FULL, WITHDRAWN } from "./problems.js";
import { acked, failed, queued, retried, withdrawn } from "./view_pending.js";
import { cutOff } from "./view_room.js";

const IDEMPOTENCY_MS = 3_600_000;

export class Outbox {
  #traffic;
  #mint;

  constructor(traffic, mint) {
    this.#traffic = traffic;
    this.#mint = mint;
  }

  /** How long a message may wait: a later send might not be known for a repeat any more. */
  get ttlMs() {
    return Math.floor((this.#traffic.link.limits.idempotency_ms ?? IDEMPOTENCY_MS) / 2);
  }

  // What the application asks

  send({ room: name, message, reply_to, meta }, now, ticket) {
    const room = this.#traffic.view.rooms[name];
    if (unsent(room).length >= OUTBOX_LIMIT) {
      this.#traffic.reject(ticket, OUTBOX_FULL);
      return;
    }
    const item = { key: this.#mint(), message, state: "sending", at: now, reply_to, meta };
    if (ticket !== null) this.#traffic.lanes.get(name).tickets.set(item.key, ticket);
    this.#traffic.show(queued(room, [item]));
    this.pump(name, now);
  }

  retry({ room: name, key }, now) {
    const room = this.#traffic.view.rooms[name];
    if (!room.pending.some((item) => item.key === key && item.state === "failed")) return;
    this.#traffic.show(retried(room, key, now));
    this.pump(name, now);
  }

  /** Take a message out, unless it may be on its way to the server. */
  discard({ room: name, key }) {
    const room = this.#traffic.view.rooms[name];
    const lane = this.#traffic.lanes.get(name);
    const found = room.pending.find((item) => item.key === key);
    if (!found || (found.state !== "failed" && lane.tried.has(key))) return;
    this.#traffic.show(withdrawn(room, key));
    lane.tried.delete(key);
    this.#traffic.reject(this.#ticketOf(lane, key), WITHDRAWN);
  }

  /** Take up messages of an earlier life: they may have reached the server then. */
  restore({ room: name, pending }) {
    const room = this.#traffic.view.rooms[name];
    const held = new Set(room.pending.map((item) => item.key));
    const items = pending.filter((item) => !held.has(item.key));
    for (const { key } of items) this.#traffic.lanes.get(name).tried.add(key);
    this.#traffic.show(queued(room, items));
  }

  // What follows

  /** Give up what waited for too long, and send the next message of a room, if it is its turn. */
  pump(name, now) {
    this.#expire(name, now);
    const room = this.#traffic.view.rooms[name];
    if (room.state !== "joined" || !this.#traffic.online) return;
    const next = this.#traffic.lanes.get(name).next(room, now);
    if (!next) return;
    const { key, message, reply_to, meta } = next;
    const request = { what: "send", room: name, key };
    this.#traffic.request("send_message", request, { message, reply_to, meta, idempotency_key: key });
  }

  acked({ room: name, key }, data) {
    const lane = this.#traffic.lanes.get(name);
    const was = this.#traffic.view.rooms[name];
    if (lane.sending === key) lane.sent();
    const item = [...was.unconfirmed, ...was.pending].find((one) => one.key === key);
    if (!item) return;
    lane.tried.delete(key);
    this.#traffic.show(acked(was, key, data.seq));
    this.#traffic.answer(this.#ticketOf(lane, key), this.#messageOf(item, data));
  }

  refused({ room: name, key }, error, now) {
    const lane = this.#traffic.lanes.get(name);
    if (lane.sending !== key) return;
    if (error.code === "not_joined" && lane.wanted) {
      lane.sending = null;
      this.#traffic.show(cutOff(this.#traffic.view.rooms[name]));
    } else if (error.retryable) {
      lane.sendLater(error.retry_after_ms, now);
    } else {
      lane.sent();
      this.fail(name, error, new Set([key]));
    }
  }

  #expire(name, now) {
    const room = this.#traffic.view.rooms[name];
    const overdue = this.#traffic.lanes.get(name).overdue(room, this.ttlMs, now);
    if (overdue.size > 0) this.fail(name, EXPIRED, overdue);
  }

  /** Give messages up, by default all that are not sent. What the room shows has been. */
  fail(name, { code, message }, keys = null) {
    const room = this.#traffic.view.rooms[name];
    const lane = this.#traffic.lanes.get(name);
    for (const { key } of unsent(room).filter((item) => keys?.has(item.key) ?? true)) {
      this.#traffic.show(failed(this.#traffic.view.rooms[name], key, { code, message }));
      const shown = room.messages.findLast((one) => one.idempotency_key === key);
      if (shown) this.#traffic.answer(this.#ticketOf(lane, key), shown);
      else this.#traffic.reject(this.#ticketOf(lane, key), { code, message });
      lane.tried.delete(key);
    }
  }

  /** The message an ack is about: as it is held, else put together. */
  #messageOf({ key, message, reply_to, meta }, ack) {
    const { view } = this.#traffic;
    const { room, seq, link, id, timestamp } = ack;
    const held = view.rooms[room].messages.findLast((one) => one.seq === seq);
    if (held) return held;
    const ours = { ...view.user, message, type: "message", idempotency_key: key };
    return { room, seq, link, id, timestamp, ...ours, reply_to, meta };
  }

  #ticketOf(lane, key) {
    const ticket = lane.tickets.get(key);
    lane.tickets.delete(key);
    return ticket;
  }
}
