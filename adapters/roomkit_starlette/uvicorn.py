"""uvicorn set up for a chat, and stopped in the order that lets the hub say goodbye.

uvicorn by itself closes every websocket with 1012 before the application's lifespan ends. Here the
lifespan ends first: the hub sends everybody away with 4000, told when to come back.
"""

from __future__ import annotations

import contextlib
import math
import socket

import uvicorn
from starlette.types import ASGIApp

from roomkit import Limits, calm_collector
from roomkit_starlette.prepared import PreparedProtocol

__all__ = ["ChatServer", "PreparedProtocol", "chat_config"]


def chat_config(app: ASGIApp, limits: Limits, *, host: str, port: int) -> uvicorn.Config:
    """Return the configuration that makes uvicorn keep the limits and write to rooms at once.

    It logs warnings only. Messages are not compressed: that would cost some 13 us of processor for
    each copy of each.
    """
    ping_s = limits.websocket_ping_ms / 1000
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="on",
        log_level="warning",
        ws=PreparedProtocol,
        ws_max_size=limits.frame_close_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=ping_s,
        ws_ping_timeout=ping_s,
        timeout_graceful_shutdown=math.ceil(limits.close_ms / 1000),
    )


class ChatServer(uvicorn.Server):
    """A `uvicorn.Server` that ends the application's lifespan before it cuts the websockets.

    `run` returns when it is asked to stop by Ctrl-C, as `uvicorn.run` does. It takes the process
    for the chat's own, see `roomkit.calm_collector`.
    """

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        calm_collector()
        with contextlib.suppress(KeyboardInterrupt):
            super().run(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()
        await super().shutdown(sockets)
