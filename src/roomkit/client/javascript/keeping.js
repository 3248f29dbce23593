/**
 * What outlives a page: the two secrets (protocol page, "Two secrets") and messages not yet sent.
 *
 * The guest token says who. It lives in localStorage with the name it was made for, so that a
 * returning visitor is the same guest; a tab under another name keeps its token to itself, so that
 * two tabs can be alice and bob. The session says which tab, and with the unsent messages belongs
 * to that tab alone: sessionStorage. Storage may be full, blocked or edited by hand; then the
 * client works and remembers less.
 */

export class Keeping {
  #key;
  #shared;
  #own;
  #tab;

  /** `storage`: `{browser, tab}`, each with getItem and setItem, or null to remember nothing. */
  constructor(url, username, storage) {
    this.#key = `roomkit ${url}`;
    this.#shared = storage?.browser ?? null;
    this.#own = storage?.tab ?? null;
    const before = read(this.#own, this.#key);
    this.#tab = before?.username === username ? before : { username, ...this.#remembered(username) };
  }

  get token() {
    return this.#tab.token ?? null;
  }

  get session() {
    return this.#tab.session ?? null;
  }

  /** Messages on their way when the page went, as `pending` of a room holds them. */
  get unsent() {
    return this.#tab.unsent ?? [];
  }

  set unsent(pending) {
    if (pending.length > 0 || this.unsent.length > 0) this.#keep({ unsent: pending });
  }

  /** Keep what a `welcome` gave. */
  welcomed({ guest_token: token, session }) {
    this.#keep({ token: token ?? this.token, session: session ?? this.session });
    const { username } = this.#tab;
    const holder = read(this.#shared, this.#key)?.username ?? username;
    if (token && holder === username) write(this.#shared, this.#key, { username, token });
  }

  forgetSession() {
    this.#keep({ session: null });
  }

  /** The server knows neither secret any more: come back as a new guest of the same name. */
  forgetSecrets() {
    this.#keep({ token: null, session: null });
    if (this.#remembered(this.#tab.username)) write(this.#shared, this.#key, null);
  }

  #remembered(username) {
    const guest = read(this.#shared, this.#key);
    return guest?.username === username ? { token: guest.token } : null;
  }

  #keep(change) {
    this.#tab = { ...this.#tab, ...change };
    write(this.#own, this.#key, this.#tab);
  }
}

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
