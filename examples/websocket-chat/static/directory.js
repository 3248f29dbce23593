/**
 * The rooms one can go to: those open here with what is unread, those the server knows, and the
 * forms that name a new one. A room's address is the page's with the room after the "#".
 */

import { byId, fromTemplate, reconcile, setText } from "./dom.js";
import { messagesWords } from "./words.js";

const LISTED = 100;
const SUGGESTED = ["general"];
const MANY = 99;

export function addressOf(room) {
  return `#${encodeURIComponent(room)}`;
}

/** The room named in the page's address, or null. */
export function addressedRoom() {
  try {
    return decodeURIComponent(window.location.hash.slice(1)) || null;
  } catch {
    return null;
  }
}

export class Directory {
  #known = [];
  #lists = ["open-rooms", "other-rooms", "picker-rooms"].map((id) => [byId(id), new Map()]);
  #changed;

  /** `changed()` when the server's list is other than before. */
  constructor(changed) {
    this.#changed = changed;
    for (const form of document.querySelectorAll("[data-room-form]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        goTo(form.querySelector("input"));
      });
    }
  }

  /** Ask the server which rooms there are; if it does not say, the ones known stay. */
  async refresh() {
    try {
      const answer = await fetch(`/rooms?limit=${LISTED}`);
      if (!answer.ok) return;
      const { rooms } = await answer.json();
      this.#known = rooms.map((room) => room.name);
    } catch {
      return;
    }
    this.#changed();
  }

  /** `rooms`: how much is unread in each open room, by its name. */
  render(rooms, current) {
    const open = [...rooms].map(([name, unread]) => ({ name, unread }));
    const known = new Set([...SUGGESTED, ...this.#known]);
    const others = [...known].filter((name) => !rooms.has(name));
    const [openRooms, otherRooms, pickerRooms] = this.#lists;
    renderOpen(openRooms, open, current);
    renderNames(otherRooms, others, "open-room");
    renderNames(pickerRooms, others, "chip");
    byId("no-rooms").hidden = open.length > 0;
    byId("other-heading").hidden = others.length === 0;
    renderElsewhere(open, current);
  }
}

function goTo(field) {
  const room = field.value.trim().replace(/^#+/u, "").trim();
  field.value = "";
  if (room) window.location.hash = addressOf(room);
  else field.focus();
}

/** What is new in other rooms, on the button that brings out the list where it is hidden. */
function renderElsewhere(rooms, current) {
  const unread = rooms
    .filter((room) => room.name !== current)
    .reduce((sum, room) => sum + room.unread, 0);
  byId("elsewhere").hidden = unread === 0;
  byId("show-rooms").ariaLabel = unread > 0 ? `Rooms, ${messagesWords(unread)}` : "Rooms";
}

function renderOpen([list, nodes], rooms, current) {
  const items = rooms.map(({ name, unread }) => ({ key: name, unread, current: name === current }));
  reconcile(list, nodes, items, () => fromTemplate("open-room"), (node, item) => {
    updateLink(node, item.key);
    const link = node.firstElementChild;
    link.toggleAttribute("data-unread", item.unread > 0);
    if (item.current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    const count = item.unread > MANY ? `${MANY}+` : String(item.unread || "");
    setText(link.querySelector(".count"), count);
    link.ariaLabel = item.unread > 0 ? `${item.key}, ${messagesWords(item.unread)}` : item.key;
  });
}

function renderNames([list, nodes], names, template) {
  const items = names.map((name) => ({ key: name }));
  reconcile(list, nodes, items, () => fromTemplate(template), (node, item) => {
    updateLink(node, item.key);
  });
}

function updateLink(node, name) {
  setText(node.querySelector(".room-name"), name);
  node.firstElementChild.href = addressOf(name);
}
