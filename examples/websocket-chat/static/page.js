/**
 * The page: which part is shown, and every part brought up to date from the chat. Asks the chat
 * client for what is so and tells it what a person does; keeps nothing the parts keep themselves.
 */

import { Composer } from "./composer.js";
import { Directory, addressedRoom, addressOf } from "./directory.js";
import { byId, paintAvatar, setParts, setText } from "./dom.js";
import { Drawers } from "./drawers.js";
import { RoomLog } from "./log.js";
import { People } from "./people.js";
import { Status } from "./status.js";
import { Welcome } from "./welcome.js";
import * as words from "./words.js";

const TOAST_MS = 8_000;
const REFRESH_MS = 20_000;
const finePointer = window.matchMedia("(pointer: fine)");

export class Page {
  #client;
  #current = null;
  #renaming = false;
  #logs = new Map();
  #toastTimer = null;
  #drawers = new Drawers();
  #people = new People();
  #welcome;
  #directory;
  #composer;
  #status;

  constructor(client) {
    this.#client = client;
    this.#welcome = new Welcome(
      (name) => this.#signIn(name),
      () => this.#keepName(),
    );
    this.#status = new Status(() => client.retryNow());
    this.#directory = new Directory(() => this.#render());
    this.#composer = new Composer({
      say: (room, text) => this.#say(room, text),
      composing: (room, text) => client.composing(room, text),
      stopComposing: () => client.stopComposing(),
      escaped: () => this.#log?.focus(),
    });
    client.watch(() => this.#render(), (refusal) => this.#toast(words.refusalWords(refusal)));
    this.#listen();
  }

  /** A tab that has a name goes on under it; any other is asked for one. */
  start() {
    if (this.#client.name) this.#signIn(this.#client.name);
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
    byId("refused-retry").addEventListener("click", () => this.#client.enter(this.#current));
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
    return this.#client.rooms.get(this.#current) ?? null;
  }

  get #log() {
    return this.#logs.get(this.#current) ?? null;
  }

  // Names

  #signIn(name) {
    this.#renaming = false;
    this.#welcome.hide();
    byId("app").hidden = false;
    this.#client.signIn(name);
    this.#directory.refresh();
    this.#route();
  }

  #askName(problem) {
    byId("app").hidden = true;
    this.#welcome.show(this.#client.suggestedName, problem, this.#renaming);
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
    if (this.#current !== null && this.#current !== room) this.#client.turnFrom(this.#current);
    this.#current = room;
    if (room !== null) this.#client.enter(room);
    this.#drawers.close({ refocus: false });
    this.#render();
    this.#focusRoom();
  }

  #leave() {
    const left = this.#current;
    this.#client.leave(left);
    this.#logs.get(left)?.node.remove();
    this.#logs.delete(left);
    const [next] = this.#client.rooms.keys();
    if (next !== undefined) window.location.hash = addressOf(next);
    else {
      window.history.pushState(null, "", window.location.pathname);
      this.#route();
    }
    this.#directory.refresh();
  }

  #say(room, text) {
    this.#client.say(room, text);
    this.#toEnd();
  }

  #toEnd() {
    this.#log?.toEnd();
    this.#composer.focus();
    this.#render();
  }

  /** On a touch screen focusing the field would bring up the keyboard: go to the heading there. */
  #focusRoom() {
    if (this.#current === null) byId(finePointer.matches ? "picker-field" : "title").focus();
    else if (finePointer.matches && this.#view?.status !== "refused") this.#composer.focus();
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
    if (shown && this.#client.connection.phase === "online") this.#directory.refresh();
  }

  // Drawing

  #render() {
    const { connection, rooms, limits } = this.#client;
    this.#status.render(connection);
    if (connection.phase === "stopped" && connection.cause.code && !this.#welcome.shown) {
      this.#askName(words.refusalWords(connection.cause));
    }
    if (this.#welcome.shown) return;
    this.#renderMe();
    this.#directory.render(rooms, this.#current);
    this.#composer.limit = limits.message_chars;
    this.#renderPane();
    this.#renderUnread();
  }

  #renderMe() {
    const { username } = this.#me;
    paintAvatar(byId("me-avatar"), username);
    setText(byId("me-name"), username);
  }

  get #me() {
    return this.#client.me ?? { userId: null, username: this.#client.name };
  }

  #renderPane() {
    const view = this.#view;
    const barred = view?.status === "refused" || view?.status === "removed";
    byId("picker").hidden = view !== null;
    byId("refused").hidden = !barred;
    byId("conversation").hidden = view === null || barred;
    byId("leave").hidden = view === null;
    byId("show-people").hidden = view === null || barred;
    byId("people").hidden = view === null || barred;
    setParts(byId("title"), view ? ["# ", { name: view.name }] : ["Rooms"]);
    setText(byId("subtitle"), subtitleOf(view, this.#client));
    if (barred) this.#renderRefused(view);
    else if (view) this.#renderConversation(view);
  }

  #renderRefused({ problem }) {
    setText(byId("refused-words"), words.refusalWords(problem));
    byId("refused-rename").hidden = problem.code !== "username_taken";
  }

  #renderConversation(view) {
    this.#composer.turnTo(view.name);
    const me = this.#me;
    const log = this.#logs.get(view.name) ?? this.#openLog(view.name);
    for (const other of this.#logs.values()) if (other !== log) other.hide();
    if (log.node.hidden) log.show();
    log.render(view, this.#client.outbox.of(view.name), me, this.#client.isFetching(view.name));
    this.#people.render(view, me);
  }

  #openLog(room) {
    const log = new RoomLog(room, {
      scrolled: () => this.#renderUnread(),
      fetchOlder: () => this.#client.fetchOlder(room),
      retry: (key) => this.#client.outbox.retry(key),
      discard: (key) => this.#client.outbox.discard(key),
    });
    this.#logs.set(room, log);
    byId("log").append(log.node);
    return log;
  }

  #isReading() {
    return document.visibilityState === "visible" && Boolean(this.#log?.atEnd);
  }

  #renderUnread() {
    this.#client.setReading(this.#isReading() ? this.#current : null);
    const pill = byId("to-end");
    const unread = this.#view?.unread ?? 0;
    pill.hidden = this.#log?.atEnd ?? true;
    pill.toggleAttribute("data-new", unread > 0);
    setText(byId("to-end-words"), unread > 0 ? words.messagesWords(unread) : "Newest messages");
    const total = [...this.#client.rooms.values()].reduce((sum, view) => sum + view.unread, 0);
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
  if (connection.phase !== "online") return "Not connected";
  if (view === null) return "Online";
  return view.status === "joined" ? `Online · ${words.peopleWords(view.total)}` : "Online";
}
