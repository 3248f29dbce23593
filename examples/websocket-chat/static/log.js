/**
 * The log of one room on the page: its rows in place, its scrolling, older messages on the way up.
 * Every open room keeps its own, hidden while another is shown.
 */

import { fromTemplate, paintAvatar, reconcile, setParts, setText } from "./dom.js";
import { setMessage } from "./links.js";
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

  /** `actions`: scrolled(), fetchOlder(), retry(key), discard(key). */
  constructor(room, actions) {
    this.#actions = actions;
    this.node.setAttribute("aria-label", `Messages in ${room}`);
    this.node.addEventListener("scroll", () => this.#scrolled(), { passive: true });
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

  render(view, outgoing, me, fetching) {
    const rows = rowsOf(view, outgoing, me);
    const anchor = this.#anchor();
    const empty = isEmpty(view, rows);
    this.node.classList.toggle("empty", empty);
    setText(this.#beginning, empty ? NOTHING_YET : beginningWords(view, fetching));
    const made = reconcile(this.#rows, this.#nodes, rows, makeRow, (node, row) =>
      updateRow(node, row, this.#actions),
    );
    if (this.#filled && made.length <= 3) made.forEach((node) => node.classList.add("fresh"));
    if (view.status === "joined" && !this.#filled) this.#fill();
    this.#restore(anchor);
    if (!fetching) this.#fetchIfNear();
  }

  /** What was said before is there to be read; only what comes from now on is announced. */
  #fill() {
    this.#filled = true;
    setTimeout(() => this.node.setAttribute("aria-live", "polite"), QUIET_MS);
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

function isEmpty(view, rows) {
  const quiet = view.status === "joined" && !view.hasOlder && view.complete && !view.gap;
  return quiet && !rows.some((row) => row.kind === "message" || row.kind === "system");
}

function beginningWords(view, fetching) {
  if (view.status === "joining") return "Opening the room…";
  if (fetching) return "Loading older messages…";
  if (view.gap) return words.gapWords(view.gap);
  if (view.hasOlder) return "";
  return view.complete ? "This is where the room begins." : "Older messages are no longer kept.";
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

function updateMessage(node, row, actions) {
  node.classList.toggle("mine", row.mine);
  node.classList.toggle("first", row.first);
  node.classList.toggle("last", row.last);
  node.dataset.status = row.status;
  paintAvatar(node.querySelector(".avatar"), row.username);
  setText(node.querySelector(".author"), row.username);
  const time = node.querySelector("time");
  setText(time, words.clockWords(row.at));
  time.dateTime = new Date(row.at).toISOString();
  const bubble = node.querySelector(".bubble");
  setMessage(bubble, row.text);
  bubble.title = words.fullTimeWords(row.at);
  updateDelivery(node.querySelector(".delivery"), row, actions);
}

const DELIVERY = { waiting: "Waiting to be sent", sending: "Sending…", sent: "" };

function updateDelivery(node, { status, problem, outgoing }, actions) {
  const failed = status === "failed";
  node.hidden = status === "sent";
  const told = failed ? `Not sent. ${words.refusalWords(problem)}` : DELIVERY[status];
  setText(node.querySelector(".delivery-words"), told);
  const [again, discard] = node.querySelectorAll("button");
  again.hidden = discard.hidden = !failed;
  again.onclick = failed ? () => actions.retry(outgoing) : null;
  discard.onclick = failed ? () => actions.discard(outgoing) : null;
}
