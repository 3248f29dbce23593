"""The server that is killed: `python -m tests.crash.server PORT STORE` in a process of its own.

STORE is the path of a SQLite file, or `memory:`, which forgets what it acknowledged: with it the
verdict must find that messages were lost.
"""

from __future__ import annotations

import sys

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from roomkit import Hub, Limits, MemoryStore, SqliteStore, Store
from roomkit_starlette import chat_endpoint
from roomkit_starlette.uvicorn import ChatServer, chat_config

PLENTY = 10_000
GRACE_MS = 60_000
"""Longer than any client may be away, back-off included: so nobody may be shown leaving."""

LIMITS = Limits(
    messages_per_s=PLENTY,
    messages_burst=PLENTY,
    frames_per_s=PLENTY,
    frames_burst=PLENTY,
    joins_burst=PLENTY,
    presence_grace_ms=GRACE_MS,
)


def main() -> None:
    """Serve until killed."""
    port, where = int(sys.argv[1]), sys.argv[2]
    store: Store = (
        MemoryStore(limits=LIMITS) if where == "memory:" else SqliteStore(where, limits=LIMITS)
    )
    hub = Hub(store=store, limits=LIMITS)
    routes = [
        WebSocketRoute("/ws", chat_endpoint(hub)),
        Route("/health", lambda request: PlainTextResponse(hub.durability)),
    ]
    app = Starlette(routes=routes, lifespan=hub.lifespan)
    ChatServer(chat_config(app, LIMITS, host="127.0.0.1", port=port)).run()


if __name__ == "__main__":
    main()
