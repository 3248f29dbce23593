/**
 * One room as an application has it: what is known of it, what can be done in it, its events.
 */

import { Refusal } from "./refusal.js";
import { Stream } from "./stream.js";

/** Frames of the server and the events they make. */
const EVENTS = new Map([
  ["room_joined", "joined"],
  ["room_left", "left"],
  ["room_gap", "gap"],
  ["new_message", "message"],
  ["message_edited", "edited"],
  ["message_deleted", "deleted"],
  ["message_history", "history"],
  ["roster_changed", "roster"],
  ["user_moderated", "moderated"],
  ["user_typing", "typing"],
  ["user_stopped_typing", "typing"],
  ["occupancy", "occupancy"],
  ["signal", "signal"],
]);

export class Room extends EventTarget {
  #name;
  #chat;
  #driver;
  #wish;
  #streams = new Set();
  #sends = new Map();
  #told = null;

  /** Made by `Chat.room`. */
  constructor(name, chat, driver, wish) {
    super();
    this.#name = name;
    this.#chat = chat;
    this.#driver = driver;
    this.#wish = wish;
  }

  get name() {
    return this.#name;
  }

  /** What is known of the room: a value that never changes, and is replaced when anything does. */
  get view() {
    return this.#chat.view.rooms[this.#name];
  }

  /** Ask again to be let in, after a refusal or after having been put out. */
  join() {
    this.#driver.do((machine) => machine.join(this.#name, this.#wish));
  }

  leave() {
    this.#chat.leave(this);
  }

  /**
   * Say something. Gives the place of the message in the room once the server has stored it, however
   * long there is no connection; rejects when it was refused, waited too long or was discarded. Its
   * state is in `view.pending` all along, so nobody has to wait for it.
   */
  send(message, options = {}) {
    const key = this.#driver.do((machine, now) => machine.send(this.#name, message, options, now));
    const sent = new Promise((resolve, reject) => this.#sends.set(key, { resolve, reject }));
    sent.catch(() => {});
    this.settle();
    return sent;
  }

  /** Send a failed message again. */
  retry(key) {
    this.#driver.do((machine, now) => machine.retry(this.#name, key, now));
  }

  /** Let go of a message that failed, or was not sent yet. */
  discard(key) {
    this.#reject(key, { code: "discarded", message: "The message was discarded." });
    this.#driver.do((machine, now) => machine.discard(this.#name, key, now));
  }

  edit(id, message, { if_version } = {}) {
    return this.#ask("edit_message", { id, message, if_version });
  }

  delete(id, { reason, if_version } = {}) {
    return this.#ask("delete_message", { id, reason, if_version });
  }

  /** A page of messages, which also become part of `view`; by default those before the oldest. */
  history({ before, after, around, limit } = {}) {
    const oldest = this.view.messages[0]?.seq ?? (this.view.position?.seq ?? 0) + 1;
    const newest = before === undefined && after === undefined && around === undefined;
    return this.#ask("get_history", { before: newest ? oldest : before, after, around, limit });
  }

  users({ after, limit } = {}) {
    return this.#ask("get_users", { after, limit });
  }

  signal(name, payload) {
    return this.#ask("send_signal", { name, payload });
  }

  /** Somebody changed what they are writing; call it as often as they do. */
  typing() {
    this.#driver.do((machine, now) => machine.type(this.#name, now));
  }

  /** They emptied the field or turned away. */
  stopTyping() {
    this.#driver.do((machine) => machine.stopTyping(this.#name));
  }

  /** Events from now on, `{type, data}`; ends when the room is left or the chat closed. */
  [Symbol.asyncIterator]() {
    const stream = new Stream(() => this.#streams.delete(stream));
    this.#streams.add(stream);
    return stream;
  }

  /** The chat's: tell what happened. */
  tell(type, data) {
    const name = EVENTS.get(type) ?? type;
    for (const stream of this.#streams) stream.push({ type: name, data });
    this.dispatchEvent(new CustomEvent(name, { detail: data }));
  }

  /** The chat's: tell that `view` is another one, if it is. */
  tellChange() {
    if (this.#told === this.view) return;
    this.#told = this.view;
    this.dispatchEvent(new CustomEvent("change", { detail: this.view }));
  }

  /** The chat's: the sends that have come to their end. */
  settle() {
    if (this.#sends.size === 0) return;
    const pending = new Map(this.view.pending.map((item) => [item.key, item]));
    for (const [key, { resolve }] of this.#sends) {
      const item = pending.get(key);
      if (item?.state === "failed") this.#reject(key, item.problem);
      else if (item?.state !== "sending") {
        this.#sends.delete(key);
        resolve(item ?? this.#shown(key));
      }
    }
  }

  /** The chat's: nothing happens here any more. */
  end() {
    const left = { code: "left", message: "The room was left." };
    for (const key of this.#sends.keys()) this.#reject(key, left);
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  #ask(type, data) {
    return this.#driver.request(type, { room: this.#name, ...data });
  }

  #shown(key) {
    return this.view.messages.findLast((message) => message.idempotency_key === key);
  }

  #reject(key, problem) {
    this.#sends.get(key)?.reject(new Refusal(problem));
    this.#sends.delete(key);
  }
}
