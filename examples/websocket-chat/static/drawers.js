/**
 * The two sides of the page. Where there is no place for them they are drawers: one open at a time,
 * Escape or a touch outside closes it, and the focus goes back to where it came from.
 */

import { byId } from "./dom.js";

const narrow = window.matchMedia("(max-width: 47.5rem)");
const medium = window.matchMedia("(max-width: 68.75rem)");

export class Drawers {
  #app = byId("app");
  #scrim = byId("scrim");
  #openers = { rooms: byId("show-rooms"), people: byId("show-people") };

  constructor() {
    this.#openers.rooms.addEventListener("click", () => this.open("rooms"));
    this.#openers.people.addEventListener("click", () => {
      if (medium.matches) this.open("people");
      else this.#togglePeople();
    });
    for (const button of document.querySelectorAll("[data-close-drawer]")) {
      button.addEventListener("click", () => this.close());
    }
    this.#scrim.addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#current) this.close();
    });
    for (const query of [narrow, medium]) query.addEventListener("change", () => this.#show(null));
    this.#show(null);
  }

  open(name) {
    if (name === "rooms" && !narrow.matches) return;
    this.#show(name);
    byId(name).querySelector("[data-close-drawer]").focus();
  }

  /** `refocus` false when the focus is about to go elsewhere. */
  close({ refocus = true } = {}) {
    const name = this.#current;
    this.#show(null);
    if (name && refocus) this.#openers[name].focus();
  }

  get #current() {
    return this.#app.dataset.drawer ?? null;
  }

  #togglePeople() {
    const closed = this.#app.dataset.people === "closed";
    this.#app.dataset.people = closed ? "open" : "closed";
    this.#show(null);
  }

  #show(name) {
    if (name) this.#app.dataset.drawer = name;
    else delete this.#app.dataset.drawer;
    this.#scrim.hidden = name === null;
    byId("main").inert = name !== null;
    byId("rooms").inert = name === "people";
    const peopleBeside = !medium.matches && this.#app.dataset.people !== "closed";
    this.#openers.rooms.setAttribute("aria-expanded", String(name === "rooms"));
    this.#openers.people.setAttribute("aria-expanded", String(name === "people" || peopleBeside));
  }
}
