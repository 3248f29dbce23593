"""The chat people write with python-socketio: rooms of the library, and `emit` to one.

With `redis://...` it is one of several processes, joined as the library's documentation says.
"""

import datetime as dt
import sys

import socketio

from benchmarks.peers.under_uvicorn import run

manager = socketio.AsyncRedisManager(sys.argv[1]) if sys.argv[1:] else None
server = socketio.AsyncServer(
    async_mode="asgi", ping_interval=3600, cors_allowed_origins="*", client_manager=manager
)
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
