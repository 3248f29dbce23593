// The chat people write with Socket.IO: its own rooms, and emit to one.
"use strict";

const { createServer } = require("http");
const { Server } = require("socket.io");

const http = createServer();
const server = new Server(http, { transports: ["websocket"], pingInterval: 3600000 });

server.on("connection", (socket) => {
  let name = "";
  socket.on("join", (data) => {
    name = data.username;
    socket.join(data.room);
    socket.emit("joined", { room: data.room });
  });
  socket.on("message", (data) => {
    const timestamp = new Date().toISOString();
    server.to(data.room).emit("message", { ...data, username: name, type: "message", timestamp });
  });
});

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => console.log(http.address().port));
