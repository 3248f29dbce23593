"""Listening with `websockets.asyncio`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import anyio
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as start_server
from websockets.http11 import Request, Response
from websockets.protocol import State

from roomkit import Limits, Transport
from roomkit_websockets.transport import WebsocketsTransport, headers_of

__all__ = ["bind"]

_WAITING = 2048
"""Connections the system holds until they are accepted, when everybody comes back at once. Beyond
asyncio's 100 the others are left to TCP's slow retries, or reset."""

_AT_ONCE = 4
"""Connections accepted in one turn of the event loop. asyncio takes all that wait, and whoever is
in a room already would wait until each of them has shaken hands."""


class _Connection(ServerConnection):
    """Tells when the system takes no more for now, and when it has taken everything again."""

    changed: Callable[[bool], None] | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._tell(False)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._tell(self.state is State.OPEN)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.state is not State.OPEN:  # the library has answered a close: nothing may follow
            self._tell(False)

    def _tell(self, taken: bool) -> None:
        if self.changed is not None:
            self.changed(taken)


class _AsyncioTransport(WebsocketsTransport):
    """Written to at once while the socket takes everything; see `PromptTransport`."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__(connection)
        self._asyncio = connection
        self.write = connection.transport.write

    def watch(self, changed: Callable[[bool], None]) -> bool:
        self._asyncio.changed = changed
        return self._asyncio.state is State.OPEN and not self._asyncio.paused

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

    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, _Connection)
        await converse(_AsyncioTransport(connection))

    server = await start_server(
        handle,
        host,
        port,
        backlog=_AT_ONCE,
        process_request=refuse,
        create_connection=_Connection,
        write_limit=0,  # so that "paused" means: something is kept back
        compression=None,
        open_timeout=limits.handshake_ms / 1000,
        ping_interval=limits.websocket_ping_ms / 1000,
        ping_timeout=limits.websocket_ping_ms / 1000,
        close_timeout=limits.close_ms / 1000,
        max_size=limits.frame_close_bytes,
    )
    for listener in server.sockets:
        # asyncio has one number for both, so the system is told its own afterwards.
        with listener.dup() as same:
            same.listen(_WAITING)
    try:
        name = server.sockets[0].getsockname()
        yield name[0], name[1]
    finally:
        with anyio.move_on_after(limits.close_ms / 1000, shield=True):
            server.close()
            await server.wait_closed()
