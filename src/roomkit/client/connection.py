"""One attempt to be connected, from waiting for its time to the last word."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

import anyio
import msgspec

from roomkit.client.socket import Socket, SocketClosed, SocketRefused
from roomkit.client.view_data import Record

__all__ = ["GOODBYE_SECONDS", "Attempt", "Endpoint"]

GOODBYE_SECONDS = 1.0
"""How long what is queued and the closing may take, once the machine has let go."""

_LONGEST_FRAME = 4 * 1024 * 1024  # more than any server sends: snapshots and pages are bounded
_ABNORMAL = 1006  # RFC 6455, 7.4.1: closed without a close frame


class Endpoint(msgspec.Struct, frozen=True):
    """Where to connect, and how."""

    url: str
    headers: Mapping[str, str]
    tls: ssl.SSLContext | None
    prepare: Callable[[], Awaitable[None]]


class Attempt:
    """A connection to be opened after a while; it may be let go at any time.

    Attributes:
        over: set once nothing more comes of it.
    """

    def __init__(self, endpoint: Endpoint, after_ms: int) -> None:
        self._endpoint = endpoint
        self._after_ms = after_ms
        self._scope = anyio.CancelScope()
        self._frames: deque[Record] = deque()
        self._changed = anyio.Event()
        self._open = False
        self._goodbye: tuple[int, str] | None = None
        self.over = anyio.Event()

    def transmit(self, frame: Record) -> None:
        """Queue a frame."""
        self._frames.append(frame)
        self._changed.set()

    def let_go(self, code: int, reason: str) -> None:
        """Close after what is queued, or do not open; bounded, and nobody is told any more."""
        self._goodbye = (code, reason)
        self._changed.set()
        if self._open:
            self._scope.deadline = anyio.current_time() + GOODBYE_SECONDS
        else:
            self._scope.cancel()

    async def run(
        self,
        opened: Callable[[Attempt], None],
        received: Callable[[Attempt, bytes], None],
        closed: Callable[[Attempt, int], None],
    ) -> None:
        """Be a connection until it is over; what happens is told to these."""
        code = _ABNORMAL
        try:
            with self._scope:
                await anyio.sleep(self._after_ms / 1000)
                code = await self._connect(opened, received)
        finally:
            self.over.set()
        closed(self, code)

    async def _connect(
        self,
        opened: Callable[[Attempt], None],
        received: Callable[[Attempt, bytes], None],
    ) -> int:
        """Connect and talk; return the close code."""
        endpoint = self._endpoint
        try:
            await endpoint.prepare()
            async with Socket.connect(
                endpoint.url,
                headers=endpoint.headers,
                tls=endpoint.tls,
                max_bytes=_LONGEST_FRAME,
            ) as socket:
                self._open = True
                opened(self)
                return await self._talk(socket, received)
        except (OSError, SocketRefused, anyio.BrokenResourceError, anyio.EndOfStream):
            return _ABNORMAL

    async def _talk(self, socket: Socket, received: Callable[[Attempt, bytes], None]) -> int:
        """Read and write until the connection is over; return its close code."""
        code = _ABNORMAL
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, socket)
            try:
                while True:
                    received(self, await socket.receive())
            except SocketClosed as over:
                code = over.code
            tasks.cancel_scope.cancel()
        return code

    async def _write(self, socket: Socket) -> None:
        while True:
            if self._frames:
                await socket.send(msgspec.json.encode(self._frames.popleft()))
            elif self._goodbye is not None:
                await socket.close(*self._goodbye)
                return
            else:
                self._changed = anyio.Event()
                await self._changed.wait()
