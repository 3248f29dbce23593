/**
 * One message on the page: its bubble, what became of it, and what its author can do about it.
 */

import { paintAvatar, setText } from "./dom.js";
import { setMessage } from "./links.js";
import * as words from "./words.js";

/** Bring the row of a message up to date. `actions` as in `RoomLog`. */
export function updateMessage(node, row, actions) {
  for (const name of ["mine", "first", "last", "editing"]) node.classList.toggle(name, row[name]);
  node.classList.toggle("deleted", row.deleted !== null);
  node.dataset.status = row.status;
  paintAvatar(node.querySelector(".avatar"), row.username);
  setText(node.querySelector(".author"), row.username);
  const time = node.querySelector("time");
  setText(time, words.clockWords(row.at));
  time.dateTime = new Date(row.at).toISOString();
  updateBubble(node.querySelector(".bubble"), row);
  updateTools(node.querySelector(".tools"), row, actions);
  updateDelivery(node.querySelector(".delivery"), row, actions);
}

function updateBubble(bubble, row) {
  const text = row.deleted === null ? row.text : "This message was deleted.";
  setMessage(bubble.querySelector(".words"), text);
  bubble.title = words.fullTimeWords(row.at);
  const mark = bubble.querySelector(".edited");
  mark.hidden = row.edited === null;
  mark.title = row.edited === null ? "" : words.fullTimeWords(Date.parse(row.edited));
}

function updateTools(node, row, actions) {
  const [edit, remove] = node.querySelectorAll("button");
  node.hidden = !row.editable && !row.deletable;
  edit.hidden = !row.editable;
  remove.hidden = !row.deletable;
  edit.onclick = () => actions.edit(row);
  remove.onclick = () => actions.remove(row);
}

function updateDelivery(node, { status, problem, outgoing }, actions) {
  const failed = status === "failed";
  node.hidden = !failed && status !== "waiting";
  const told = failed ? `Not sent. ${words.refusalWords(problem)}` : "Waiting to be sent";
  setText(node.querySelector(".delivery-words"), told);
  const [again, discard] = node.querySelectorAll("button");
  again.hidden = discard.hidden = !failed;
  again.onclick = () => actions.retry(outgoing);
  discard.onclick = () => actions.discard(outgoing);
}
