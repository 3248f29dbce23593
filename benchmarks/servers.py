"""The servers that are measured, each a process of its own: `python -m benchmarks.servers NAME`.

`websockets`, `starlette` and `zestapi` are the whole of roomkit on that adapter, the latter two
under uvicorn, with pacing and pings out of the way: on a `MemoryStore`, with `FILE [DURABILITY]` on
a `SqliteStore` in that file, or with `redis://...` on a `RedisStore`. `recorded FOLDER` is the
first with its black box, `defaults` the first with the limits people get, `node URL` the same on a
`RedisStore`. Each prints its port.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import cast

import anyio
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from benchmarks.peers.listening import listening
from roomkit import Hub, Limits, MemoryStore, SqliteStore, Store, calm_collector
from roomkit.stores.redis import RedisStore
from roomkit.stores.sqlite.connections import Durability
from roomkit_starlette import chat_endpoint, chat_routes
from roomkit_starlette.uvicorn import ChatServer, chat_config
from roomkit_websockets import listen

PLENTY = 10**6
_HOUR_MS = 3_600_000
UNPACED = Limits(
    messages_per_s=PLENTY, messages_burst=PLENTY, frames_per_s=PLENTY, frames_burst=PLENTY,
    joins_per_s=PLENTY, joins_burst=PLENTY, connections_per_user=PLENTY,
    websocket_ping_ms=_HOUR_MS, heartbeat_ms=_HOUR_MS, silent_ms=_HOUR_MS,
)  # fmt: skip


def _hub(place: str | None = None, durability: str = "sqlite-full") -> Hub:
    store: Store = MemoryStore(limits=UNPACED)
    if place is not None and place.startswith("redis:"):
        store = RedisStore(place, limits=UNPACED)
    elif place is not None:
        store = SqliteStore(place, limits=UNPACED, durability=cast("Durability", durability))
    return Hub(store=store, limits=UNPACED)


def on_websockets(*kept: str) -> None:
    """Serve on the `websockets` adapter."""
    asyncio.run(_serve(_hub(*kept)))


def on_starlette(*kept: str) -> None:
    """Serve on the Starlette adapter."""
    hub = _hub(*kept)
    routes = [WebSocketRoute("/ws", chat_endpoint(hub)), *chat_routes(hub)]
    _under_uvicorn(Starlette(routes=routes, lifespan=hub.lifespan), listening())


def on_zestapi(*kept: str) -> None:
    """Serve on the ZestAPI adapter."""
    from zestapi import Settings, ZestAPI

    from roomkit_zestapi import mount_chat

    door = listening()  # first, since ZestAPI logs to where the port is printed
    main = ZestAPI(Settings())
    mount_chat(main, _hub(*kept))
    _under_uvicorn(main.app, door)


def recorded(folder: str) -> None:
    """Serve roomkit with its black box."""
    asyncio.run(_serve(Hub(store=MemoryStore(limits=UNPACED), limits=UNPACED, record=folder)))


def defaults() -> None:
    """Serve roomkit as it comes."""
    asyncio.run(_serve(Hub()))


def node(url: str) -> None:
    """Serve roomkit as it comes, one of several nodes."""
    asyncio.run(_serve(Hub(store=RedisStore(url), secret="correct horse battery staple")))


def _under_uvicorn(app: ASGIApp, door: socket.socket) -> None:
    config = chat_config(app, UNPACED, host="127.0.0.1", port=0)
    ChatServer(config).run([door])


async def _serve(hub: Hub) -> None:
    async with listen(hub, "127.0.0.1", 0) as (_, port):
        print(port, flush=True)
        await anyio.sleep_forever()


SERVERS: dict[str, Callable[..., None]] = {
    "websockets": on_websockets,
    "starlette": on_starlette,
    "zestapi": on_zestapi,
    "recorded": recorded,
    "defaults": defaults,
    "node": node,
}

if __name__ == "__main__":
    calm_collector()
    SERVERS[sys.argv[1]](*sys.argv[2:])
