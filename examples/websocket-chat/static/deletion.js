/**
 * The question before a message is deleted, which cannot be undone.
 */

import { byId, setText } from "./dom.js";

export class Deletion {
  #dialog = byId("deletion");
  #confirmed = () => {};

  constructor() {
    byId("deletion-keep").addEventListener("click", () => this.#dialog.close());
    byId("deletion-go").addEventListener("click", () => {
      this.#dialog.close();
      this.#confirmed();
    });
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
  }

  /** Ask about the message that says `text`; `confirmed()` if it is to go. */
  ask(text, confirmed) {
    this.#confirmed = confirmed;
    setText(byId("deletion-words"), text);
    this.#dialog.showModal();
  }
}
