/**
 * The client of a roomkit server for pages: one connection that keeps coming back, rooms that resume
 * where they were, and messages that are never lost and never doubled.
 *
 *     const chat = connect("/ws", { username: "alice" });
 *     const room = chat.room("general");
 *     await room.send("hello");
 *     for await (const { type, data } of room) console.log(type, data);
 */

import { Chat } from "./chat.js";

export { Chat } from "./chat.js";
export { Refusal } from "./problems.js";
export { Room } from "./room.js";

/**
 * Connect, and stay connected until `close`.
 *
 * `url` of the websocket may be relative to the page. Options, all of which may be left out:
 * `username` a guest would like; `token` of a host with its own users, or a function that gives it or
 * a promise of it, asked before every connection; `storage` to keep secrets and unsent messages in,
 * `{browser, tab}`, or null to remember nothing; `client`, what this program calls itself.
 */
export function connect(url, options = {}) {
  const storage = options.storage === undefined ? pageStorage() : options.storage;
  return new Chat(absolute(url), { client: "roomkit-javascript", ...options, storage });
}

function absolute(url) {
  const address = new URL(url, globalThis.document?.baseURI);
  address.protocol = address.protocol.replace(/^http/u, "ws");
  return address.href;
}

/** A page may be forbidden to so much as name its storage. */
function pageStorage() {
  try {
    return { browser: globalThis.localStorage, tab: globalThis.sessionStorage };
  } catch {
    return null;
  }
}
