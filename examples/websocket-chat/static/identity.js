/**
 * Who this tab is: the chosen name and the two secrets (protocol page, "Two secrets").
 *
 * The guest token says who; it lives in localStorage with the name it was made for, so that
 * a returning visitor stays the same guest. A tab that chooses another name is another guest
 * and keeps that token to itself, in sessionStorage: two tabs can be alice and bob.
 * The session secret says which tab, and with the rooms open in it belongs to this tab alone.
 */

const SHARED_KEY = "roomkit.guest";
const TAB_KEY = "roomkit.tab";

export class Identity {
  #shared;
  #own;
  #tab;

  constructor(shared = window.localStorage, own = window.sessionStorage) {
    this.#shared = shared;
    this.#own = own;
    this.#tab = read(own, TAB_KEY) ?? {};
  }

  /** The name this tab speaks under, or null while none has been chosen in it. */
  get name() {
    return this.#tab.name ?? null;
  }

  /** The name to suggest: this tab's, or the one last used in this browser. */
  get suggestion() {
    return this.name ?? read(this.#shared, SHARED_KEY)?.name ?? "";
  }

  get token() {
    return this.#tab.token ?? null;
  }

  get session() {
    return this.#tab.session ?? null;
  }

  /** Names of the rooms open in this tab, in the order they were opened. */
  get rooms() {
    return this.#tab.rooms ?? [];
  }

  set rooms(names) {
    this.#keep({ rooms: names });
  }

  choose(name) {
    if (name === this.name) return;
    const remembered = read(this.#shared, SHARED_KEY);
    const token = remembered?.name === name ? remembered.token : null;
    this.#keep({ name, token, session: null });
  }

  /** Keep what a `welcome` gave. */
  welcomed({ guest_token: token, session }) {
    this.#keep({ token: token ?? this.token, session: session ?? this.session });
    if (!token) return;
    const remembered = read(this.#shared, SHARED_KEY);
    if (!remembered || remembered.name === this.name) {
      write(this.#shared, SHARED_KEY, { name: this.name, token });
    }
  }

  forgetSession() {
    this.#keep({ session: null });
  }

  /** After a server refused the secrets: come back as a new guest of the same name. */
  forgetSecrets() {
    this.#keep({ token: null, session: null });
    if (read(this.#shared, SHARED_KEY)?.name === this.name) {
      write(this.#shared, SHARED_KEY, null);
    }
  }

  #keep(change) {
    this.#tab = { ...this.#tab, ...change };
    write(this.#own, TAB_KEY, this.#tab);
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
