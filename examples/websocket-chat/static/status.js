/**
 * The state of the connection in words and colours: the dot by our name, the banner when something
 * is wrong, and one sentence for screen readers whenever it changes.
 */

import { byId, setText } from "./dom.js";
import { causeWords } from "./words.js";

const BANNER_AFTER_MS = 600;
const STATE_WORDS = { connecting: "Connecting…", online: "Online", waiting: "Offline", stopped: "Offline" };

export class Status {
  #app = byId("app");
  #banner = byId("banner");
  #words = byId("banner-words");
  #state = byId("me-state-words");
  #announcer = byId("announcer");
  #connection = { phase: "idle" };
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
    const { phase } = connection;
    this.#app.dataset.phase = phase;
    setText(this.#state, STATE_WORDS[phase] ?? "");
    byId("retry").hidden = phase === "connecting";
    this.#showBanner(phase);
    this.#announce(phase);
    clearInterval(this.#ticker);
    if (phase === "waiting") this.#ticker = setInterval(() => this.#tell(), 250);
    this.#tell();
  }

  /** A connection made at once is not worth a banner that comes and goes. */
  #showBanner(phase) {
    if (phase === "online" || phase === "idle") {
      clearTimeout(this.#bannerTimer);
      this.#bannerTimer = null;
      this.#banner.hidden = true;
    } else {
      const delay = phase === "stopped" ? 0 : BANNER_AFTER_MS;
      this.#bannerTimer ??= setTimeout(() => (this.#banner.hidden = false), delay);
    }
  }

  #tell() {
    const { phase, retry_at: retryAt, cause } = this.#connection;
    if (phase === "connecting") setText(this.#words, "Connecting…");
    else if (phase === "stopped") setText(this.#words, causeWords(cause));
    else if (phase === "waiting") {
      const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
      const what = navigator.onLine ? "The connection was lost." : "You are offline.";
      setText(this.#words, `${what} Trying again in ${seconds} s.`);
    }
  }

  #announce(phase) {
    if (phase === "online" && this.#wasOnline) setText(this.#announcer, "Connected again.");
    else if (phase === "online") setText(this.#announcer, "Connected.");
    else if (phase === "waiting") setText(this.#announcer, "The connection was lost. Trying again.");
    else if (phase === "stopped") setText(this.#announcer, causeWords(this.#connection.cause));
    this.#wasOnline ||= phase === "online";
  }
}
