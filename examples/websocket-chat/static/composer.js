/**
 * The field to write in: one draft per room, Enter sends, and the field grows with what is in it. A
 * message of one's own is changed in the same field; the draft waits meanwhile.
 */

import { byId, setText } from "./dom.js";

const DEFAULT_MESSAGE_CHARS = 4_000;
const WARN_AT = 0.9;

export class Composer {
  #form = byId("composer");
  #field = byId("message-field");
  #send = this.#form.querySelector(".send");
  #count = byId("composer-count");
  #bar = byId("editing");
  #editing = null;
  #drafts = new Map();
  #room = null;
  #limit = DEFAULT_MESSAGE_CHARS;
  #actions;

  /**
   * `actions`: say(room, text), change(room, message, text), editing(message or null), editLast(),
   * composing(room, text), stopComposing(room), escaped().
   */
  constructor(actions) {
    this.#actions = actions;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("input", () => this.#edited());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    this.#field.addEventListener("blur", () => actions.stopComposing(this.#room));
    byId("editing-cancel").addEventListener("click", () => this.stopEditing());
  }

  /** Write to `room` from now on; the draft of the room before is kept for it. */
  turnTo(room) {
    if (room === this.#room) return;
    this.#actions.stopComposing(this.#room);
    if (this.#editing) this.#leaveEditing();
    if (this.#room !== null) this.#drafts.set(this.#room, this.#field.value);
    this.#room = room;
    this.#field.value = this.#drafts.get(room) ?? "";
    this.#field.placeholder = room === null ? "" : `Message #${room}`;
    this.#fit();
  }

  /** Change a message, `{id, version, text}` at least; `text` is what the field begins with. */
  edit(message, text = message.text) {
    if (this.#editing === null) this.#drafts.set(this.#room, this.#field.value);
    this.#editing = message;
    this.#bar.hidden = false;
    this.#send.ariaLabel = "Save";
    this.#actions.editing(message);
    this.#write(text);
  }

  /** Back to the draft there was. */
  stopEditing() {
    this.#leaveEditing();
    this.#write(this.#drafts.get(this.#room) ?? "");
  }

  #leaveEditing() {
    this.#editing = null;
    this.#field.value = this.#drafts.get(this.#room) ?? "";
    this.#bar.hidden = true;
    this.#send.ariaLabel = "Send";
    this.#actions.editing(null);
  }

  #write(text) {
    this.#field.value = text;
    this.#fit();
    this.#field.focus();
    this.#field.setSelectionRange(text.length, text.length);
  }

  set limit(chars) {
    this.#limit = chars ?? DEFAULT_MESSAGE_CHARS;
  }

  focus() {
    this.#field.focus();
  }

  #edited() {
    if (this.#editing === null) this.#actions.composing(this.#room, this.#field.value);
    this.#fit();
  }

  #pressed(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape") {
      if (this.#editing) this.stopEditing();
      else this.#actions.escaped();
    } else if (event.key === "ArrowUp" && this.#field.value === "" && this.#actions.editLast()) {
      event.preventDefault();
    }
  }

  #submit() {
    const text = this.#field.value.trim();
    if (text === "" || lengthOf(text) > this.#limit) return;
    const message = this.#editing;
    if (message === null) {
      this.#actions.say(this.#room, text);
      this.#write("");
    } else {
      this.stopEditing();
      if (text !== message.text) this.#actions.change(this.#room, message, text);
    }
  }

  #fit() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
    const length = lengthOf(this.#field.value.trim());
    const left = this.#limit - length;
    this.#send.disabled = length === 0 || left < 0;
    this.#count.classList.toggle("over", left < 0);
    setText(this.#count, length < this.#limit * WARN_AT ? "" : countWords(left));
  }
}

/** Unicode code points, as the server counts. */
function lengthOf(text) {
  return [...text].length;
}

function countWords(left) {
  return left < 0 ? `${-left} characters too long` : `${left} characters left`;
}
