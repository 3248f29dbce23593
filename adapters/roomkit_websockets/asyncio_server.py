"""Listening with `websockets.asyncio`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as start_server
from websockets.frames import Frame, Opcode
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


class _Framer:
    """Frames a batch once, for however many members of a room it is written to."""

    def __init__(self) -> None:
        self._frames: Sequence[bytes] = ()
        self._framed = b""

    def framed(self, frames: Sequence[bytes]) -> bytes:
        """Return the websocket frames of these messages, joined; of the last ones asked, again."""
        if frames is not self._frames:
            texts = [Frame(Opcode.TEXT, frame).serialize(mask=False) for frame in frames]
            self._frames, self._framed = frames, b"".join(texts)
        return self._framed


class _AsyncioTransport(WebsocketsTransport):
    """Written to at once while the socket takes everything; see `PromptTransport`."""

    def __init__(self, connection: ServerConnection, framer: _Framer) -> None:
        super().__init__(connection)
        self._asyncio = connection
        self._framer = framer

    def send_now(self, frames: Sequence[bytes]) -> bool:
        connection = self._asyncio
        if connection.state is not State.OPEN or connection.transport.get_write_buffer_size():
            return False
        connection.transport.write(self._framer.framed(frames))
        return True

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

    framer = _Framer()
    server = await start_server(
        lambda connection: converse(_AsyncioTransport(connection, framer)),
        host,
        port,
        backlog=_AT_ONCE,
        process_request=refuse,
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
