"""What the two flavours of a `websockets` connection have in common as a transport."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

from roomkit import Handshake
from roomkit.runtime.transport import TransportClosed

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection as AsyncioConnection
    from websockets.trio.server import ServerConnection as TrioConnection

__all__ = ["WebsocketsTransport", "headers_of"]

_FORGOTTEN = Handshake({})
_FORGOTTEN_REQUEST = Request("", Headers())  # the library wants one for as long as it reads


def headers_of(request: Request) -> dict[str, str]:
    """Return the headers by lower-case name; of a repeated one the last value."""
    return {name.lower(): value for name, value in request.headers.raw_items()}


class WebsocketsTransport(ABC):
    """One accepted websocket; its handshake's `host` is the connection of the library."""

    __slots__ = ("_connection", "handshake")

    def __init__(self, connection: AsyncioConnection | TrioConnection) -> None:
        assert connection.request is not None  # the opening handshake is over
        path, _, query = connection.request.path.partition("?")
        self.handshake = Handshake(
            headers=headers_of(connection.request),
            path=path,
            query=query,
            client=_client(connection),
            host=connection,
        )
        self._connection = connection

    def identified(self) -> None:
        """Keep nothing of the opening handshake: four kilobytes for as long as somebody is here."""
        self.handshake = _FORGOTTEN
        self._connection.request, self._connection.response = _FORGOTTEN_REQUEST, None

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise TransportClosed from closed

    async def send(self, frames: Sequence[bytes]) -> None:
        try:
            for frame in frames:
                await self._connection.send(frame, text=True)
        except ConnectionClosed as closed:
            raise TransportClosed from closed

    async def close(self, code: int, reason: str) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._discard)
            await self._close(code, reason)
            tasks.cancel_scope.cancel()

    @abstractmethod
    async def _close(self, code: int, reason: str) -> None: ...

    @abstractmethod
    def abort(self) -> None: ...

    async def _discard(self) -> None:
        """Clear the way to the peer's answer to our close: it comes after all that was sent."""
        try:
            while True:
                await self._connection.recv()
        except ConnectionClosed:
            return


def _client(connection: AsyncioConnection | TrioConnection) -> str:
    try:
        address = connection.remote_address
    except OSError:  # gone already
        return ""
    return str(address[0]) if address else ""
