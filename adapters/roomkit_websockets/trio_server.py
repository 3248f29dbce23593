"""Listening with `websockets.trio`, which `websockets` has from version 17 on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import trio
from websockets.http11 import Request, Response

from roomkit import Limits, Transport
from roomkit_websockets.transport import WebsocketsTransport, headers_of

try:
    from websockets.trio.server import Server, ServerConnection
    from websockets.trio.server import serve as start_server
except ModuleNotFoundError as error:
    raise ImportError("on trio, roomkit_websockets needs websockets 17 or newer") from error

__all__ = ["bind"]


class _TrioTransport(WebsocketsTransport):
    def __init__(self, connection: ServerConnection) -> None:
        super().__init__(connection)
        self._trio = connection

    async def _close(self, code: int, reason: str) -> None:
        await self._trio.aclose(code, reason)

    def abort(self) -> None:
        assert isinstance(self._trio.stream, trio.SocketStream)  # we listen without TLS
        self._trio.stream.socket.close()


@asynccontextmanager
async def bind(
    converse: Callable[[Transport], Awaitable[None]],
    accepts: Callable[[Mapping[str, str]], bool],
    limits: Limits,
    host: str,
    port: int,
    *,
    deflate: bool,
) -> AsyncGenerator[tuple[str, int]]:
    """Listen, and hand every connection whose headers are acceptable to `converse`.

    Connections do not die with the scope around: whoever leaves the context says goodbye first.
    """
    listeners = await trio.open_tcp_listeners(port, host=host)
    connections = trio.CancelScope(shield=True)

    async def handle(connection: ServerConnection) -> None:
        await converse(_TrioTransport(connection))

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        return None if accepts(headers_of(request)) else connection.respond(403, "")

    async def run(*, task_status: trio.TaskStatus[Server]) -> None:
        with connections:
            await start_server(
                handle,
                listeners=listeners,
                process_request=refuse,
                compression="deflate" if deflate else None,
                open_timeout=limits.handshake_ms / 1000,
                ping_interval=limits.websocket_ping_ms / 1000,
                ping_timeout=limits.websocket_ping_ms / 1000,
                close_timeout=limits.close_ms / 1000,
                max_size=limits.frame_close_bytes,
                task_status=task_status,
            )

    async with trio.open_nursery() as nursery:
        server: Server = await nursery.start(run)
        try:
            name = listeners[0].socket.getsockname()
            yield name[0], name[1]
        finally:
            with trio.move_on_after(limits.close_ms / 1000, shield=True):
                await server.aclose()
            connections.cancel()
