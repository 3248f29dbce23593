/**
 * The state of the connection in words and colours: the dot by our name, the banner when something
 * is wrong, and one sentence for screen readers whenever it changes.
 */

import { byId, setText } from "./dom.js";
import { refusalWords } from "./words.js";

const BANNER_AFTER_MS = 600;
const STATE_WORDS = {
  connecting: "Connecting…",
  online: "Online",
  offline: "Offline",
  stopped: "Offline",
};

export class Status {
  #app = byId("app");
  #banner = byId("banner");
  #words = byId("banner-words");
  #state = byId("me-state-words");
  #announcer = byId("announcer");
  #connection = { state: "idle" };
  #wasOnline = false;
  #bannerTimer = null;
  #ticker = null;

  constructor(retryNow) {
    byId("retry").addEventListener("click", retryNow);
    window.addEventListener("online", () => this.#tell());
    window.addEventListener("offline", () => this.#tell());
  }

  render(connection) {
    if (connection === this.#connection) return;
    this.#connection = connection;
    const { state } = connection;
    this.#app.dataset.connection = state;
    setText(this.#state, STATE_WORDS[state] ?? "");
    byId("retry").hidden = state === "connecting";
    this.#showBanner(state);
    this.#announce(state);
    clearInterval(this.#ticker);
    if (state === "offline") this.#ticker = setInterval(() => this.#tell(), 250);
    this.#tell();
  }

  /** A connection made at once is not worth a banner that comes and goes. */
  #showBanner(state) {
    if (state === "online" || state === "idle") {
      clearTimeout(this.#bannerTimer);
      this.#bannerTimer = null;
      this.#banner.hidden = true;
    } else {
      const delay = state === "stopped" ? 0 : BANNER_AFTER_MS;
      this.#bannerTimer ??= setTimeout(() => (this.#banner.hidden = false), delay);
    }
  }

  #tell() {
    const { state, retry_at: retryAt } = this.#connection;
    if (state === "connecting") setText(this.#words, "Connecting…");
    else if (state === "stopped") setText(this.#words, stoppedWords(this.#connection));
    else if (state === "offline") {
      const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
      const what = navigator.onLine ? "The connection was lost." : "You are offline.";
      setText(this.#words, `${what} Trying again in ${seconds} s.`);
    }
  }

  #announce(state) {
    if (state === "online" && this.#wasOnline) setText(this.#announcer, "Connected again.");
    else if (state === "online") setText(this.#announcer, "Connected.");
    else if (state === "offline") setText(this.#announcer, "The connection was lost. Trying again.");
    else if (state === "stopped") setText(this.#announcer, stoppedWords(this.#connection));
    this.#wasOnline ||= state === "online";
  }
}

function stoppedWords({ problem }) {
  return problem ? refusalWords(problem) : "The server closed the connection.";
}
