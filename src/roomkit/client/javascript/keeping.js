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
    const tab = read(this.#own, this.#key);
    this.#tab = tab?.username === username ? tab : { username, token: this.#sharedToken(username) };
  }

  /** `{token, session}` as the machine takes them; the token is a guest's. */
  get secrets() {
    const { token = null, session = null } = this.#tab;
    return { token, session };
  }

  keepSecrets({ token, session }) {
    if (token === this.secrets.token && session === this.secrets.session) return;
    this.#keep({ token, session });
    const { username } = this.#tab;
    const holder = read(this.#shared, this.#key)?.username ?? username;
    if (token !== null && holder === username) write(this.#shared, this.#key, { username, token });
  }

  /** Messages on their way when the page went: of each room, with the room's name. */
  get unsent() {
    return this.#tab.unsent ?? [];
  }

  keepUnsent(pending) {
    if (JSON.stringify(pending) !== JSON.stringify(this.unsent)) this.#keep({ unsent: pending });
  }

  #sharedToken(username) {
    const guest = read(this.#shared, this.#key);
    return guest?.username === username ? guest.token : null;
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
