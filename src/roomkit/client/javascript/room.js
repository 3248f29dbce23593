/**
 * One room as an application has it: what is known of it, what can be done in it, its events.
 */

import { Stream } from "./stream.js";

export class Room extends EventTarget {
  #name;
  #chat;
  #driver;
  #wish;
  #streams = new Set();
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

  /** Ask to be let in, again after a refusal or after having been put out. */
  join() {
    this.#tell("join", this.#wish);
  }

  leave() {
    this.#chat.leave(this);
  }

  /**
   * Say something. Gives the message once the server has stored it, however long there is no
   * connection; rejects when it is refused, waits too long or is discarded. What became of it is in
   * `view.pending` all along, so nobody has to wait for it.
   */
  send(message, { reply_to, meta } = {}) {
    const sent = this.#ask("send", { message, reply_to, meta });
    sent.catch(() => {});
    return sent;
  }

  /** Send a failed message again. */
  retry(key) {
    this.#tell("retry", { key });
  }

  /** Take a message out of the outbox, unless it may be on its way. */
  discard(key) {
    this.#tell("discard", { key });
  }

  edit(id, message, { if_version } = {}) {
    return this.#ask("edit", { id, message, if_version });
  }

  delete(id, { reason, if_version } = {}) {
    return this.#ask("delete", { id, reason, if_version });
  }

  /** A page of messages; without a cursor that before the oldest held, which also joins `view`. */
  history({ before, after, around, limit } = {}) {
    return this.#ask("history", { before, after, around, limit });
  }

  users({ after, limit } = {}) {
    return this.#ask("users", { after, limit });
  }

  async signal(name, payload = null) {
    await this.#ask("signal", { name, payload });
  }

  /** Our user pressed a key; to be said on each. */
  typing() {
    this.#tell("typing");
  }

  /** Our user cleared the field or turned away. */
  stopTyping() {
    this.#tell("stop_typing");
  }

  /** Events from now on, `{type, data}`; ends when the room is left or the chat closed. */
  [Symbol.asyncIterator]() {
    const stream = new Stream(() => this.#streams.delete(stream));
    this.#streams.add(stream);
    return stream;
  }

  /** The chat's: something happened. */
  happened(type, data) {
    for (const stream of this.#streams) stream.push({ type, data });
    this.dispatchEvent(new CustomEvent(type, { detail: data }));
  }

  /** The chat's: `view` may be another one. */
  seen() {
    if (this.#told === this.view) return;
    this.#told = this.view;
    this.dispatchEvent(new CustomEvent("change", { detail: this.view }));
  }

  /** The chat's: nothing happens here any more. */
  end() {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  #tell(what, details) {
    this.#driver.tell(what, { room: this.#name, ...details });
  }

  #ask(what, details) {
    return this.#driver.ask(what, { room: this.#name, ...details });
  }
}
