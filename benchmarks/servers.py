"""The servers that are measured, each a process of its own: `python -m benchmarks.servers NAME`.

`roomkit [FILE [DURABILITY]]` is the whole of roomkit on the `websockets` adapter, without pacing,
on a `MemoryStore` or on a `SqliteStore` in that file. `recorded` is the same in memory with its
black box, `defaults` the same in memory with the limits people get. `broadcast` is what people
write by hand with the same library: one set of sockets and `websockets.broadcast()`, no history, no
presence, no limits. Each prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from typing import cast

import anyio
from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.processes import pin
from roomkit import Hub, Limits, MemoryStore, SqliteStore, Store, calm_collector
from roomkit.stores.sqlite.connections import Durability
from roomkit_websockets import listen

PLENTY = 10**6


async def roomkit(
    file: str | None = None, durability: str = "sqlite-full", record: str | None = None
) -> None:
    """Serve roomkit with pacing out of the way."""
    limits = Limits(
        messages_per_s=PLENTY, messages_burst=PLENTY, frames_per_s=PLENTY, frames_burst=PLENTY,
        joins_per_s=PLENTY, joins_burst=PLENTY, roster_limit=PLENTY, connections_per_user=PLENTY,
    )  # fmt: skip
    store: Store = MemoryStore(limits=limits)
    if file is not None:
        store = SqliteStore(file, limits=limits, durability=cast("Durability", durability))
    await _serve(Hub(store=store, limits=limits, record=record))


async def recorded() -> None:
    """Serve roomkit with its black box."""
    with tempfile.TemporaryDirectory() as folder:
        await roomkit(record=folder)


async def defaults() -> None:
    """Serve roomkit as it comes."""
    await _serve(Hub())


async def _serve(hub: Hub) -> None:
    async with listen(hub, "127.0.0.1", 0) as (_, port):
        print(port, flush=True)
        await anyio.sleep_forever()


async def by_hand() -> None:
    """Serve the loop people write themselves; it answers the same few frames."""
    members: set[ServerConnection] = set()

    async def talk(socket: ServerConnection) -> None:
        async for frame in socket:
            data = json.loads(frame)
            if data["type"] == "join_room":
                members.add(socket)
                await socket.send('{"type":"room_joined","data":{}}')
            elif data["type"] == "send_message":
                said = {"type": "new_message", "data": {**data["data"], "username": "alice"}}
                broadcast(members, json.dumps(said))
        members.discard(socket)

    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


SERVERS = {
    "roomkit": roomkit,
    "recorded": recorded,
    "defaults": defaults,
    "broadcast": by_hand,
}

if __name__ == "__main__":
    pin(0, 0)  # before there are threads
    calm_collector()
    asyncio.run(SERVERS[sys.argv[1]](*sys.argv[2:]))
