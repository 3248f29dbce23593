"""The chat people write with python-socketio: rooms of the library, and `emit` to one."""

import datetime as dt

import socketio

from benchmarks.peers.under_uvicorn import run

server = socketio.AsyncServer(async_mode="asgi", ping_interval=3600, cors_allowed_origins="*")
names = {}


@server.event
async def join(sid, data):
    names[sid] = data["username"]
    await server.enter_room(sid, data["room"])
    await server.emit("joined", {"room": data["room"]}, to=sid)


@server.event
async def message(sid, data):
    now = dt.datetime.now(dt.UTC).isoformat()
    said = {**data, "username": names[sid], "type": "message", "timestamp": now}
    await server.emit("message", said, room=data["room"])


if __name__ == "__main__":
    run(socketio.ASGIApp(server))
