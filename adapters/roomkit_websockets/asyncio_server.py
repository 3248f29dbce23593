"""Listening with `websockets.asyncio`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as start_server
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Event, State

from roomkit import Limits, Transport, TransportClosed
from roomkit.runtime.backlog import Backlog
from roomkit.runtime.framing import frame_texts
from roomkit_websockets.transport import WebsocketsTransport, headers_of

__all__ = ["bind"]

_WAITING = 2048
"""Connections the system holds until they are accepted, when everybody comes back at once. Beyond
asyncio's 100 the others are left to TCP's slow retries, or reset."""

_AT_ONCE = 4
"""Connections accepted in one turn of the event loop. asyncio takes all that wait, and whoever is
in a room already would wait until each of them has shaken hands."""


class _Connection(ServerConnection):
    """Tells what the system keeps back of what was written, and hands over what comes; nothing is
    compressed."""

    # With three names more, the dictionary of the library's own would take a kilobyte more.
    __slots__ = ("_heard", "_waiter", "backlog")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.backlog = Backlog()
        self._heard: Callable[[str | bytes], bool] | None = None
        self._waiter: asyncio.Future[None] | None = None

    def listen(self, heard: Callable[[str | bytes], bool]) -> None:
        """See `PromptTransport.listen`."""
        self._heard = heard

    def process_event(self, event: Event) -> None:
        if self._heard is None or not self._hears(event, self._heard):
            super().process_event(event)
            self._wake()

    def nothing_kept(self) -> asyncio.Future[None] | None:
        """Return what to wait for before `recv` can return or raise; None if it may begin to.

        Waiting in here, where most connections are most of the time, takes a kilobyte less.
        """
        if len(self.recv_messages.frames) or self.recv_messages.closed:
            return None
        if self._waiter is None or self._waiter.done():
            self._waiter = self.loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _hears(self, event: Event, heard: Callable[[str | bytes], bool]) -> bool:
        """Hand over a message in one frame that comes after all others, and return whether it was
        taken."""
        if not isinstance(event, Frame) or not event.fin or len(self.recv_messages.frames):
            return False
        if event.opcode is Opcode.TEXT:
            try:
                return heard(str(event.data, "utf-8"))
            except UnicodeDecodeError:
                return False  # the library says so to the peer, and closes
        return event.opcode is Opcode.BINARY and heard(bytes(event.data))

    def pause_writing(self) -> None:
        super().pause_writing()
        self.backlog.change(False)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.backlog.change(True)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.state is not State.OPEN and self.state is not State.CONNECTING:
            self.backlog.end()  # the library has answered a close: nothing may follow

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.backlog.end()
        self._wake()


class _PlainTransport(WebsocketsTransport):
    """Sends with the library, frame by frame, which compresses them if that was agreed."""

    __slots__ = ("_asyncio",)

    def __init__(self, connection: ServerConnection) -> None:
        super().__init__(connection)
        self._asyncio = connection

    async def _close(self, code: int, reason: str) -> None:
        await self._asyncio.close(code, reason)

    def abort(self) -> None:
        self._asyncio.transport.abort()


class _PreparedTransport(_PlainTransport):
    """Written to and read from at once; see `PromptTransport`."""

    __slots__ = ("_backlog", "_prompt", "listen", "watch", "write")

    def __init__(self, connection: _Connection) -> None:
        super().__init__(connection)
        self._prompt = connection
        self._backlog = connection.backlog
        self.listen = connection.listen
        self.watch = connection.backlog.watch
        self.write = connection.transport.write

    async def receive(self) -> str | bytes:
        while (kept := self._prompt.nothing_kept()) is not None:
            await kept
        return await super().receive()

    async def send(self, frames: Sequence[bytes]) -> None:
        await self._backlog.drained()
        if self._asyncio.state is not State.OPEN:  # the library has given it up: no pong came
            raise TransportClosed
        self.write(frame_texts(frames))
        await self._backlog.drained()


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
    """Listen, and hand every connection whose headers are acceptable to `converse`."""

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        return None if accepts(headers_of(request)) else connection.respond(403, "")

    async def handle(connection: ServerConnection) -> None:
        if isinstance(connection, _Connection):
            await converse(_PreparedTransport(connection))
        else:
            await converse(_PlainTransport(connection))

    server = await start_server(
        handle,
        host,
        port,
        backlog=_AT_ONCE,
        process_request=refuse,
        create_connection=ServerConnection if deflate else _Connection,
        write_limit=0,  # so that "paused" means: something is kept back
        compression="deflate" if deflate else None,
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
