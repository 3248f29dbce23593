"""A websocket client for tests: the client's socket, and what no well-behaved client would do.

It runs on asyncio and trio, shows every frame in the order it came and skips none, can send
anything, and reads only when asked to, so that not reading is easy too.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Self

import anyio

from roomkit.client.socket import Socket, SocketClosed, SocketRefused

__all__ = ["PATIENCE_S", "ServerFrame", "SocketClosed", "SocketRefused", "WebsocketClient"]

PATIENCE_S = 10.0
"""How long a test waits for a frame that ought to come."""


class ServerFrame(NamedTuple):
    """A frame the server sent."""

    type: str
    data: dict[str, object]


class WebsocketClient:
    """One connection. Made by `connect`."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[Self]:
        """Open a connection; leaving drops it without a word if it is still open.

        Args:
            headers: added to the request, `Origin` for one.

        Raises:
            SocketRefused: the server answered with another status than 101.
        """
        async with Socket.connect(url, headers=headers) as socket:
            yield cls(socket)

    async def send(self, type_: str, /, **data: object) -> None:
        """Send a frame of the protocol."""
        await self.send_text(json.dumps({"type": type_, "data": data}))

    async def send_text(self, *fragments: str | bytes) -> None:
        """Send a text message, in as many fragments as are given; bytes may be no UTF-8."""
        await self.send_texts(fragments)

    async def send_texts(self, *messages: Sequence[str | bytes]) -> None:
        """Send text messages in one go, each in as many fragments as it has."""
        protocol = self._socket.protocol
        for fragments in messages:
            first, *rest = [part.encode() if isinstance(part, str) else part for part in fragments]
            protocol.send_text(first, fin=not rest)
            for number, part in enumerate(rest, 1):
                protocol.send_continuation(part, fin=number == len(rest))
        await self._socket.flush()

    async def send_binary(self, data: bytes) -> None:
        """Send a binary message."""
        self._socket.protocol.send_binary(data)
        await self._socket.flush()

    async def receive(self) -> ServerFrame:
        """Return the next frame.

        Raises:
            SocketClosed: there is none.
            TimeoutError: there is none yet, after `PATIENCE_S`.
        """
        with anyio.fail_after(PATIENCE_S):
            frame = json.loads(await self._socket.receive())
        return ServerFrame(frame["type"], frame["data"])

    async def expect(self, type_: str, /, **data: object) -> dict[str, object]:
        """Return the data of the next frame, which must be of this type and hold at least this."""
        frame = await self.receive()
        found = {name: frame.data.get(name, "absent") for name in data}
        assert (frame.type, found) == (type_, data), frame
        return frame.data

    async def until(self, type_: str, /) -> dict[str, object]:
        """Return the data of the next frame of this type; those before are of no interest."""
        while True:
            frame = await self.receive()
            if frame.type == type_:
                return frame.data

    async def until_closed(self) -> SocketClosed:
        """Wait for the end, whatever comes before it."""
        while True:
            try:
                await self.receive()
            except SocketClosed as closed:
                return closed

    async def close(self) -> None:
        """Close as a browser does when its page goes."""
        await self._socket.close(1000, "")
        await self.until_closed()
