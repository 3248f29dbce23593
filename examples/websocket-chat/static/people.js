/**
 * Who is in the room, ourselves first, and who of them is typing.
 */

import { byId, fromTemplate, paintAvatar, reconcile, setParts, setText } from "./dom.js";
import { peopleWords, typingParts } from "./words.js";

export class People {
  #list = byId("people-list");
  #hint = byId("people-hint");
  #typing = byId("typing");
  #nodes = new Map();

  render(view, me) {
    const typing = new Set(view.typing.users);
    const mine = (person) => person.user_id === me.user_id;
    const people = [...view.occupants].sort(
      (one, other) =>
        Number(mine(other)) - Number(mine(one)) || one.username.localeCompare(other.username),
    );
    reconcile(
      this.#list,
      this.#nodes,
      people.map((person) => ({
        key: person.user_id,
        name: person.username,
        mine: mine(person),
        typing: typing.has(person.username) && !mine(person),
      })),
      () => fromTemplate("person"),
      updatePerson,
    );
    this.#hint.hidden = view.roster === "on";
    setText(this.#hint, `${peopleWords(view.total)} here: too many to list.`);
    this.#renderTyping(view, me);
  }

  /** Our own typing is in the server's list and not worth telling us. */
  #renderTyping({ typing }, me) {
    const others = typing.users.filter((name) => name !== me.username);
    const total = typing.total - (typing.users.length - others.length);
    if (total > 0) setParts(this.#typing, typingParts(others, total));
    else setText(this.#typing, "");
  }
}

function updatePerson(node, { name, mine, typing }) {
  paintAvatar(node.querySelector(".avatar"), name);
  setText(node.querySelector(".person-name"), name);
  node.querySelector(".you").hidden = !mine;
  node.querySelector(".writing").hidden = !typing;
}
