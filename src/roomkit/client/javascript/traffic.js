/**
 * What the rooms of a client share: the view, a lane for each room, and the commands that are
 * unanswered.
 */

import { EMPTY, withRoom } from "./view.js";

export class Traffic {
  view = EMPTY;
  /** A `Lane` by the room's name, once it was asked for. */
  lanes = new Map();
  link;

  #out;
  #requests = new Map();
  #lastRef = 0;

  constructor(link, out) {
    this.link = link;
    this.#out = out;
  }

  get online() {
    return this.link.state === "online";
  }

  /** Send a command and give its ref. `request`: `{what, room, ticket?, key?, before?}`, as it was asked. */
  request(type, request, details) {
    this.#lastRef += 1;
    const ref = String(this.#lastRef);
    this.#requests.set(ref, request);
    this.link.transmit(type, { room: request.room, ref, ...details });
    return ref;
  }

  /** The request that a frame answers, which it does once; or undefined. */
  answeredBy({ ref }) {
    const request = this.#requests.get(ref);
    this.#requests.delete(ref);
    return request;
  }

  /** All that are unanswered and never will be. */
  cut() {
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    return requests;
  }

  show(room) {
    this.view = withRoom(this.view, room);
  }

  happened(room, type, data) {
    this.#out.push({ happened: { room, type, data } });
  }

  answer(ticket, data) {
    if (ticket != null) this.#out.push({ answered: { ticket, data } });
  }

  reject(ticket, { code, message }, retry_after_ms = null) {
    if (ticket == null) return;
    this.#out.push({ rejected: { ticket, problem: { code, message }, retry_after_ms } });
  }
}
