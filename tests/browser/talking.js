/** Somebody who writes all the time, changes and deletes some of it, and notes what is shown. */

const MAY_BE = ["disconnected", "not_joined", "unavailable"];

export async function begin(name, roomName) {
  const { connect } = await import("/roomkit/client/roomkit.js");
  const chat = connect("/ws", { username: name });
  const room = chat.room(roomName);
  const record = { drafts: [], userIds: new Set(), shown: [], left: [], recovered: 0 };
  room.addEventListener("new_message", ({ detail }) => record.shown.push([detail.seq, detail.link]));
  room.addEventListener("roster_changed", ({ detail }) => record.left.push(...detail.left));
  room.addEventListener("room_joined", ({ detail }) => (record.recovered += detail.recovered === true));
  chat.addEventListener("connection", () => chat.user && record.userIds.add(chat.user.user_id));
  const talk = { chat, room, record, quiet: false };
  talk.over = write(talk, name);
  return talk;
}

async function write(talk, name) {
  for (let number = 0; !talk.quiet; number += 1) {
    const draft = { text: `${name}, ${number}`, revisions: [] };
    talk.record.drafts.push(draft);
    const { id, seq, link } = await talk.room.send(draft.text);
    Object.assign(draft, { id, seq, link });
    if (number % 5 === 1) await revise(draft, `${draft.text}, changed`, (text) => talk.room.edit(id, text));
    if (number % 10 === 2) await revise(draft, null, () => talk.room.delete(id));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function revise(draft, text, ask) {
  const revision = { text, outcome: "acked", version: 0 };
  draft.revisions.push(revision);
  try {
    revision.version = (await ask(text)).version;
  } catch (error) {
    revision.outcome = MAY_BE.includes(error.code) ? "unknown" : "refused";
  }
}
