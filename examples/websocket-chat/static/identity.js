/**
 * What this page remembers besides the client's own secrets: the name chosen in this tab, the rooms
 * open in it, and the name last used in this browser.
 */

const BROWSER_KEY = "roomkit.page.name";
const TAB_KEY = "roomkit.page";

export class Identity {
  #tab = read(sessionStorage, TAB_KEY) ?? {};

  /** The name this tab speaks under, or null while none has been chosen in it. */
  get name() {
    return this.#tab.name ?? null;
  }

  /** The name to suggest: this tab's, or the one last used in this browser. */
  get suggestion() {
    return this.name ?? read(localStorage, BROWSER_KEY) ?? "";
  }

  /** Names of the rooms open in this tab, in the order they were opened. */
  get rooms() {
    return this.#tab.rooms ?? [];
  }

  set rooms(names) {
    this.#keep({ rooms: names });
  }

  choose(name) {
    this.#keep({ name });
    if (read(localStorage, BROWSER_KEY) === null) write(localStorage, BROWSER_KEY, name);
  }

  #keep(change) {
    this.#tab = { ...this.#tab, ...change };
    write(sessionStorage, TAB_KEY, this.#tab);
  }
}

/** Storage may be full, blocked or edited by hand; then the page works and remembers less. */
function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key));
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    return;
  }
}
