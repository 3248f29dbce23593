// The chat people write with ws: a set for each room, and send to each in a loop.
"use strict";

const { WebSocketServer } = require("ws");

const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 4096 });

server.on("listening", () => console.log(server.address().port));

server.on("connection", (socket) => {
  let name = "";
  let members = null;
  socket.on("message", (frame) => {
    const { type, data } = JSON.parse(frame);
    if (type === "hello") {
      name = data.username;
    } else if (type === "join_room") {
      if (!rooms.has(data.room)) rooms.set(data.room, new Set());
      members = rooms.get(data.room);
      members.add(socket);
      socket.send(JSON.stringify({ type: "room_joined", data: { room: data.room } }));
    } else {
      const timestamp = new Date().toISOString();
      const said = { ...data, username: name, type: "message", timestamp };
      const text = JSON.stringify({ type: "new_message", data: said });
      for (const member of members) member.send(text);
    }
  });
  socket.on("close", () => members?.delete(socket));
});
