// What an application writes; that it compiles, and what is marked does not, is the test of the types.

import { connect, Refusal, type Message, type Room } from "roomkit-client";

const chat = connect("/ws", { username: "alice", token: async () => "token", storage: null });
const room: Room = chat.room("general", { history: 50, meta: { color: "teal" } });

chat.addEventListener("connection", ({ detail }) => {
  detail.state satisfies "offline" | "connecting" | "online" | "stopped";
});
chat.addEventListener("error", ({ detail }) => detail.code satisfies string);
room.addEventListener("change", ({ detail }) => detail.messages satisfies readonly Message[]);
room.addEventListener("new_message", ({ detail }) => detail satisfies Message);
room.addEventListener("roster_changed", ({ detail }) => detail.joined[0]?.sessions satisfies number | undefined);

export async function talk(): Promise<void> {
  try {
    const { id, seq } = await room.send("hello", { reply_to: "1-x", meta: { mood: "fine" } });
    seq satisfies number;
    const { version } = await room.edit(id, "hello all", { if_version: 1 });
    await room.delete(id, { reason: "done", if_version: version });
    const { messages, has_before } = await room.history({ limit: 20 });
    messages satisfies readonly Message[];
    has_before satisfies boolean;
    await room.signal("wave", { to: "bob" });
  } catch (error) {
    if (error instanceof Refusal) error.retryAfterMs satisfies number | null;
  }
  for await (const event of room) {
    if (event.type === "new_message") event.data satisfies Message;
    if (event.type === "missed") event.data.events satisfies number;
  }
}

// @ts-expect-error there is no such verb
room.shout("hello");
// @ts-expect-error what is known is never changed
room.view.messages.push(room.view.messages[0]);
// @ts-expect-error the name of the option is username
connect("/ws", { name: "alice" });
