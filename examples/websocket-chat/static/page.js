/**
 * The page: which part is shown, and every part brought up to date from the chat. Asks the chat for
 * what is so and tells it what a person does; keeps nothing the parts keep themselves.
 */

import { Composer } from "./composer.js";
import { Directory, addressedRoom, addressOf } from "./directory.js";
import { Deletion } from "./deletion.js";
import { byId, paintAvatar, setParts, setText } from "./dom.js";
import { Drawers } from "./drawers.js";
import { RoomLog } from "./log.js";
import { People } from "./people.js";
import { rowsOf } from "./rows.js";
import { Status } from "./status.js";
import { Welcome } from "./welcome.js";
import * as words from "./words.js";

const TOAST_MS = 8_000;
const REFRESH_MS = 20_000;
const NAME_REFUSED = new Set(["bad_argument", "username_taken"]);
const finePointer = window.matchMedia("(pointer: fine)");

export class Page {
  #talk;
  #current = null;
  #renaming = false;
  #editing = null;
  #logs = new Map();
  #toastTimer = null;
  #drawers = new Drawers();
  #people = new People();
  #welcome;
  #directory;
  #composer;
  #status;
  #deletion = new Deletion();

  constructor(talk) {
    this.#talk = talk;
    this.#welcome = new Welcome(
      (name) => this.#signIn(name),
      () => this.#keepName(),
    );
    this.#status = new Status(() => talk.retryNow());
    this.#directory = new Directory(() => this.#render());
    this.#composer = new Composer({
      say: (room, text) => this.#say(room, text),
      change: (room, message, text) => this.#change(room, message, text),
      editing: (message) => this.#markEditing(message),
      editLast: () => this.#editLast(),
      composing: (room, text) => talk.composing(room, text),
      stopComposing: (room) => talk.stopComposing(room),
      escaped: () => this.#log?.focus(),
    });
    talk.watch(
      () => this.#render(),
      (refusal) => this.#toast(words.refusalWords(refusal)),
    );
    this.#listen();
  }

  /** A tab that has a name goes on under it; any other is asked for one. */
  start() {
    if (this.#talk.name) this.#signIn(this.#talk.name);
    else this.#askName("");
  }

  #listen() {
    window.addEventListener("hashchange", () => this.#route());
    setInterval(() => this.#refresh(), REFRESH_MS);
    document.addEventListener("visibilitychange", () => this.#render());
    byId("rename").addEventListener("click", () => this.#rename(""));
    byId("leave").addEventListener("click", () => this.#leave());
    byId("to-end").addEventListener("click", () => this.#toEnd());
    byId("toast-close").addEventListener("click", () => (byId("toast").hidden = true));
    byId("refused-retry").addEventListener("click", () => this.#enterAgain());
    byId("refused-leave").addEventListener("click", () => this.#leave());
    byId("refused-rename").addEventListener("click", () => {
      this.#rename(words.refusalWords(this.#view.problem));
    });
    byId("open-rooms").addEventListener("click", () => this.#drawers.close({ refocus: false }));
    byId("log").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#composer.focus();
    });
    for (const button of document.querySelectorAll("[data-skip]")) {
      button.addEventListener("click", () => this.#skipTo(button.dataset.skip));
    }
  }

  get #view() {
    return this.#talk.room(this.#current);
  }

  get #log() {
    return this.#logs.get(this.#current) ?? null;
  }

  // Names

  #signIn(name) {
    this.#renaming = false;
    this.#welcome.hide();
    byId("app").hidden = false;
    this.#talk.signIn(name);
    this.#directory.refresh();
    this.#route();
  }

  #askName(problem) {
    byId("app").hidden = true;
    this.#welcome.show(this.#talk.suggestedName, problem, this.#renaming);
  }

  #rename(problem) {
    this.#drawers.close({ refocus: false });
    this.#renaming = true;
    this.#askName(problem);
  }

  #keepName() {
    this.#renaming = false;
    this.#welcome.hide();
    byId("app").hidden = false;
    this.#focusRoom();
    this.#render();
  }

  // Rooms

  #route() {
    if (this.#welcome.shown) return;
    const room = addressedRoom();
    if (this.#current !== null && this.#current !== room) this.#talk.turnFrom(this.#current);
    this.#current = room;
    if (room !== null) this.#talk.enter(room);
    this.#drawers.close({ refocus: false });
    this.#render();
    this.#focusRoom();
  }

  #enterAgain() {
    this.#talk.enter(this.#current);
    this.#render();
  }

  #leave() {
    const left = this.#current;
    this.#talk.leave(left);
    this.#logs.get(left)?.node.remove();
    this.#logs.delete(left);
    const [next] = this.#talk.rooms.keys();
    if (next !== undefined) window.location.hash = addressOf(next);
    else {
      window.history.pushState(null, "", window.location.pathname);
      this.#route();
    }
    this.#directory.refresh();
  }

  #say(room, text) {
    this.#talk.say(room, text);
    this.#toEnd();
  }

  // Messages of one's own

  #editLast() {
    const me = this.#talk.me.user_id;
    const last = rowsOf(this.#view, this.#talk.me, null).findLast((row) => row.userId === me);
    if (!last?.editable) return false;
    this.#composer.edit(last);
    return true;
  }

  #markEditing(message) {
    const before = this.#editing;
    this.#editing = message;
    this.#render();
    if (before && !message) this.#composer.focus();
  }

  /** What could not be changed is there to be tried again, upon the message as it is by then. */
  async #change(room, message, text) {
    if (await this.#talk.edit(room, message, text)) return;
    if (this.#current !== room || this.#editing) return;
    const held = this.#view.messages.find((one) => one.id === message.id);
    if (!held || held.deleted) return;
    this.#composer.edit({ ...message, version: held.version ?? 1, text: held.message }, text);
  }

  /** Deleting is for ever: ask once, then go back to where the person was. */
  #remove(room, row) {
    this.#deletion.ask(row.text, () => this.#talk.delete(room, row.id));
  }

  #toEnd() {
    this.#log?.toEnd();
    this.#composer.focus();
    this.#render();
  }

  /** On a touch screen focusing the field would bring up the keyboard: go to the heading there. */
  #focusRoom() {
    if (this.#current === null) byId(finePointer.matches ? "picker-field" : "title").focus();
    else if (finePointer.matches && this.#view?.state !== "refused") this.#composer.focus();
    else byId("title").focus();
  }

  #skipTo(id) {
    if (id === "log") this.#log?.focus();
    else {
      if (id === "room-field") this.#drawers.open("rooms");
      byId(id).focus();
    }
  }

  #refresh() {
    const shown = document.visibilityState === "visible";
    if (shown && this.#talk.connection.state === "online") this.#directory.refresh();
  }

  // Drawing

  #render() {
    const { connection, rooms, limits } = this.#talk;
    this.#status.render(connection);
    const unnamed = connection.state === "stopped" && NAME_REFUSED.has(connection.problem?.code);
    if (unnamed && !this.#welcome.shown) {
      this.#askName(words.refusalWords(connection.problem));
    }
    if (this.#welcome.shown) return;
    this.#renderMe();
    this.#directory.render(rooms, this.#current);
    this.#composer.limit = limits.message_chars;
    this.#renderPane();
    this.#renderUnread();
  }

  #renderMe() {
    const { username } = this.#talk.me;
    paintAvatar(byId("me-avatar"), username);
    setText(byId("me-name"), username);
  }

  #renderPane() {
    const view = this.#view;
    const barred = view?.state === "refused" || view?.state === "left";
    byId("picker").hidden = view !== null;
    byId("refused").hidden = !barred;
    byId("conversation").hidden = view === null || barred;
    byId("leave").hidden = view === null;
    byId("show-people").hidden = view === null || barred;
    byId("people").hidden = view === null || barred;
    setParts(byId("title"), view ? ["# ", { name: view.room }] : ["Rooms"]);
    setText(byId("subtitle"), subtitleOf(view, this.#talk));
    if (barred) this.#renderRefused(view);
    else if (view) this.#renderConversation(view);
  }

  #renderRefused({ problem }) {
    setText(byId("refused-words"), words.refusalWords(problem));
    byId("refused-rename").hidden = problem.code !== "username_taken";
  }

  #renderConversation(view) {
    this.#composer.turnTo(view.room);
    const { me } = this.#talk;
    const log = this.#logs.get(view.room) ?? this.#openLog(view.room);
    for (const other of this.#logs.values()) if (other !== log) other.hide();
    if (log.node.hidden) log.show();
    log.render(view, me, this.#editing?.id ?? null);
    this.#people.render(view, me);
  }

  #openLog(room) {
    const log = new RoomLog(room, {
      scrolled: () => this.#renderUnread(),
      fetchOlder: () => this.#talk.fetchOlder(room),
      retry: (key) => this.#talk.retry(room, key),
      discard: (key) => this.#talk.discard(room, key),
      edit: (row) => this.#composer.edit(row),
      remove: (row) => this.#remove(room, row),
    });
    this.#logs.set(room, log);
    byId("log").append(log.node);
    return log;
  }

  #isReading() {
    return document.visibilityState === "visible" && Boolean(this.#log?.atEnd);
  }

  #renderUnread() {
    this.#talk.setReading(this.#isReading() ? this.#current : null);
    const pill = byId("to-end");
    const unread = this.#view?.unread ?? 0;
    pill.hidden = this.#log?.atEnd ?? true;
    pill.toggleAttribute("data-new", unread > 0);
    setText(byId("to-end-words"), unread > 0 ? words.messagesWords(unread) : "Newest messages");
    const total = [...this.#talk.rooms.values()].reduce((sum, unread) => sum + unread, 0);
    const count = total > 0 ? `(${total}) ` : "";
    const room = this.#current === null ? "" : `#${this.#current} · `;
    document.title = `${count}${room}roomkit chat`;
  }

  #toast(text) {
    setText(byId("toast-words"), text);
    byId("toast").hidden = false;
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => (byId("toast").hidden = true), TOAST_MS);
  }
}

function subtitleOf(view, { connection }) {
  if (connection.state !== "online") return "Not connected";
  if (view === null) return "Online";
  return view.state === "joined" ? `Online · ${words.peopleWords(view.total)}` : "Online";
}
