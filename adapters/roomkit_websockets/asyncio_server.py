"""Listening with `websockets.asyncio`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import anyio
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as start_server
from websockets.http11 import Request, Response

from roomkit import Limits, Transport
from roomkit_websockets.transport import WebsocketsTransport, headers_of

__all__ = ["bind"]


class _AsyncioTransport(WebsocketsTransport):
    def __init__(self, connection: ServerConnection) -> None:
        super().__init__(connection)
        self._asyncio = connection

    async def _close(self, code: int, reason: str) -> None:
        await self._asyncio.close(code, reason)

    def abort(self) -> None:
        self._asyncio.transport.abort()


@asynccontextmanager
async def bind(
    converse: Callable[[Transport], Awaitable[None]],
    accepts: Callable[[Mapping[str, str]], bool],
    limits: Limits,
    host: str,
    port: int,
) -> AsyncGenerator[tuple[str, int]]:
    """Listen, and hand every connection whose headers are acceptable to `converse`."""

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        return None if accepts(headers_of(request)) else connection.respond(403, "")

    server = await start_server(
        lambda connection: converse(_AsyncioTransport(connection)),
        host,
        port,
        process_request=refuse,
        compression=None,
        open_timeout=limits.handshake_ms / 1000,
        ping_interval=limits.websocket_ping_ms / 1000,
        ping_timeout=limits.websocket_ping_ms / 1000,
        close_timeout=limits.close_ms / 1000,
        max_size=limits.frame_close_bytes,
    )
    try:
        name = server.sockets[0].getsockname()
        yield name[0], name[1]
    finally:
        with anyio.move_on_after(limits.close_ms / 1000, shield=True):
            server.close()
            await server.wait_closed()
