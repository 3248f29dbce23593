/**
 * The log of one room on the page: its rows in place, its scrolling, older messages on the way up.
 * Every open room keeps its own, hidden while another is shown.
 */

import { fromTemplate, reconcile, setParts, setText } from "./dom.js";
import { setMessage } from "./links.js";
import { updateMessage } from "./message.js";
import { rowsOf } from "./rows.js";
import * as words from "./words.js";

const AT_END_PX = 48;
const FETCH_PX = 240;
const QUIET_MS = 500;
const NOTHING_YET = "Nothing has been said here yet. Be the first.";

export class RoomLog {
  node = fromTemplate("log-template");

  #rows = this.node.querySelector(".rows");
  #beginning = this.node.querySelector(".beginning");
  #nodes = new Map();
  #actions;
  #atEnd = true;
  #top = 0;
  #filled = false;

  /** `actions`: scrolled(), fetchOlder(), retry(key), discard(key), edit(row), remove(row). */
  constructor(room, actions) {
    this.#actions = actions;
    this.node.setAttribute("aria-label", `Messages in ${room}`);
    this.node.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.#pressed(event));
    new ResizeObserver(() => this.#settle()).observe(this.node);
  }

  /** Whether the newest message is before the reader's eyes. */
  get atEnd() {
    return this.#atEnd;
  }

  toEnd() {
    this.#atEnd = true;
    this.#settle();
  }

  show() {
    this.node.hidden = false;
    if (!this.#atEnd) this.node.scrollTop = this.#top;
    this.#settle();
  }

  hide() {
    this.node.hidden = true;
  }

  focus() {
    this.node.focus();
  }

  /** The message that was chosen with the keyboard, or the log itself if that is gone. */
  focusOn(key) {
    (this.#nodes.get(key)?.node ?? this.node).focus();
  }

  render(room, me, editing) {
    const rows = rowsOf(room, me, editing);
    const anchor = this.#anchor();
    const empty = isEmpty(room, rows);
    this.node.classList.toggle("empty", empty);
    setText(this.#beginning, empty ? NOTHING_YET : beginningWords(room));
    const made = reconcile(this.#rows, this.#nodes, rows, makeRow, (node, row) =>
      updateRow(node, row, this.#actions),
    );
    if (this.#filled && made.length <= 3) made.forEach((node) => node.classList.add("fresh"));
    if (room.state === "joined" && !this.#filled) this.#fill();
    this.#restore(anchor);
    if (!room.fetching) this.#fetchIfNear();
  }

  /** What was said before is there to be read; only what comes from now on is announced. */
  #fill() {
    this.#filled = true;
    setTimeout(() => this.node.setAttribute("aria-live", "polite"), QUIET_MS);
  }

  /** Up and down go from message to message; what can be done with one is a Tab away. */
  #pressed(event) {
    const steps = { ArrowUp: -1, ArrowDown: 1 };
    if (!(event.key in steps) || event.target.closest("button, a")) return;
    const messages = [...this.#rows.querySelectorAll(".message")];
    const at = messages.indexOf(event.target.closest(".message"));
    const next = at < 0 ? messages.at(-1) : messages[at + steps[event.key]];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  #scrolled() {
    if (this.node.hidden) return;
    const { scrollHeight, scrollTop, clientHeight } = this.node;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    this.#top = scrollTop;
    this.#fetchIfNear();
    this.#actions.scrolled();
  }

  /** Also when the log is shorter than its window, which no scrolling would tell. */
  #fetchIfNear() {
    if (this.node.clientHeight > 0 && this.node.scrollTop < FETCH_PX) this.#actions.fetchOlder();
  }

  #settle() {
    if (this.#atEnd) this.node.scrollTop = this.node.scrollHeight;
    else this.#fetchIfNear();
  }

  /**
   * The first row in sight and where it stands, so that what comes before it does not push it.
   * Not the line of a day: that goes up to the first message of the day.
   */
  #anchor() {
    if (this.#atEnd) return null;
    const top = this.node.getBoundingClientRect().top;
    for (const node of this.#rows.querySelectorAll(":scope > :not(.day)")) {
      const box = node.getBoundingClientRect();
      if (box.bottom > top) return { node, offset: box.top };
    }
    return null;
  }

  #restore(anchor) {
    if (this.#atEnd) this.#settle();
    else if (anchor?.node.isConnected) {
      this.node.scrollTop += anchor.node.getBoundingClientRect().top - anchor.offset;
    }
  }
}

function isEmpty(room, rows) {
  const quiet = room.state === "joined" && !room.has_before && room.complete && !room.gap;
  return quiet && !rows.some((row) => row.kind === "message" || row.kind === "system");
}

function beginningWords({ state, position, fetching, gap, has_before: more, complete }) {
  if (state === "joining" && position === null) return "Opening the room…";
  if (fetching) return "Loading older messages…";
  if (gap) return words.gapWords(gap.reason);
  if (more) return "";
  return complete ? "This is where the room begins." : "Older messages are no longer kept.";
}

function makeRow(row) {
  return fromTemplate(row.kind === "message" ? "message-row" : "line-row");
}

function updateRow(node, row, actions) {
  if (row.kind === "message") updateMessage(node, row, actions);
  else updateLine(node, row);
}

function updateLine(node, row) {
  const line = node.firstElementChild;
  node.classList.add(row.kind);
  if (row.kind === "day") setText(line, row.text);
  else if (row.kind === "new") setText(line, "New");
  else if (row.kind === "presence") setParts(line, words.presenceParts(row));
  else if (row.kind === "moderation") setParts(line, words.moderationParts(row));
  else setMessage(line, row.text);
}
