/**
 * The card on which a name is chosen, on arrival and whenever somebody wants another one.
 */

import { byId, paintAvatar, setText } from "./dom.js";

export class Welcome {
  #node = byId("welcome");
  #title = byId("welcome-title");
  #submit = byId("name-submit");
  #field = byId("name-field");
  #avatar = byId("name-avatar");
  #problem = byId("name-problem");
  #cancel = byId("name-cancel");

  /** `chosen(name)` when a name is given, `cancelled()` when the one there was is kept. */
  constructor(chosen, cancelled) {
    byId("name-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.#field.value.trim();
      if (name) chosen(name);
      else this.#complain("Please choose a name first.");
    });
    this.#field.addEventListener("input", () => this.#edited());
    this.#cancel.addEventListener("click", cancelled);
    this.#node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#cancel.hidden) cancelled();
    });
  }

  get shown() {
    return !this.#node.hidden;
  }

  /** `problem`: why the name before was not good, or "". `cancellable` if there is one to keep. */
  show(name, problem, cancellable) {
    this.#node.hidden = false;
    this.#cancel.hidden = !cancellable;
    setText(this.#title, cancellable ? "Another name?" : name ? "Welcome back" : "Come on in");
    setText(this.#submit, cancellable ? "Use this name" : "Start chatting");
    this.#field.value = name;
    this.#edited();
    this.#complain(problem);
    this.#field.select();
  }

  hide() {
    this.#node.hidden = true;
  }

  #edited() {
    setText(this.#problem, "");
    this.#field.removeAttribute("aria-invalid");
    paintAvatar(this.#avatar, this.#field.value.trim());
  }

  #complain(problem) {
    setText(this.#problem, problem);
    if (problem) this.#field.setAttribute("aria-invalid", "true");
    this.#field.focus();
  }
}
