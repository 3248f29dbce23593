"""A websocket client for tests: the `websockets` library's protocol over a socket of anyio's.

It runs on asyncio and trio, shows every frame in the order it came and skips none, can send what
no well-behaved client would, and reads only when asked to, so that not reading is easy too.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple, Self

import anyio
from anyio.abc import ByteStream
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.protocol import CONNECTING
from websockets.uri import parse_uri

__all__ = ["PATIENCE_S", "Closed", "NotAccepted", "ServerFrame", "WebsocketClient"]

PATIENCE_S = 10.0
"""How long a test waits for a frame that ought to come."""

_CHUNK = 65_536


class ServerFrame(NamedTuple):
    """A frame the server sent."""

    type: str
    data: dict[str, object]


class Closed(Exception):
    """The connection is over; `code` is 1006 if it ended without a close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class NotAccepted(Exception):
    """The server answered the opening handshake with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class WebsocketClient:
    """One connection. Made by `connect`."""

    def __init__(self, stream: ByteStream, protocol: ClientProtocol) -> None:
        self._stream = stream
        self._protocol = protocol
        self._messages: deque[bytes] = deque()
        self._fragments: list[bytes] = []

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[Self]:
        """Open a connection; leaving drops it without a word if it is still open.

        Args:
            headers: added to the request, `Origin` for one.

        Raises:
            NotAccepted: the server answered with another status than 101.
        """
        uri = parse_uri(url)
        protocol = ClientProtocol(uri, max_size=None)
        request = protocol.connect()
        request.headers.update(headers or {})
        with anyio.fail_after(PATIENCE_S):
            stream = await anyio.connect_tcp(uri.host, uri.port)
        client = cls(stream, protocol)
        try:
            protocol.send_request(request)
            await client._flush()
            await client._shake_hands()
            yield client
        finally:
            await anyio.aclose_forcefully(stream)

    async def send(self, type_: str, /, **data: object) -> None:
        """Send a frame of the protocol."""
        await self.send_text(json.dumps({"type": type_, "data": data}))

    async def send_text(self, *fragments: str | bytes) -> None:
        """Send a text message, in as many fragments as are given; bytes may be no UTF-8."""
        first, *rest = [part.encode() if isinstance(part, str) else part for part in fragments]
        self._protocol.send_text(first, fin=not rest)
        for number, part in enumerate(rest, 1):
            self._protocol.send_continuation(part, fin=number == len(rest))
        await self._flush()

    async def send_binary(self, data: bytes) -> None:
        """Send a binary message."""
        self._protocol.send_binary(data)
        await self._flush()

    async def receive(self) -> ServerFrame:
        """Return the next frame.

        Raises:
            Closed: there is none.
            TimeoutError: there is none yet, after `PATIENCE_S`.
        """
        with anyio.fail_after(PATIENCE_S):
            while not self._messages:
                await self._read()
        frame = json.loads(self._messages.popleft())
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

    async def until_closed(self) -> Closed:
        """Wait for the end, whatever comes before it."""
        while True:
            try:
                await self.receive()
            except Closed as closed:
                return closed

    async def close(self) -> None:
        """Close as a browser does when its page goes."""
        self._protocol.send_close(1000)
        await self._flush()
        await self.until_closed()

    async def _shake_hands(self) -> None:
        with anyio.fail_after(PATIENCE_S):
            while self._protocol.state is CONNECTING and self._protocol.handshake_exc is None:
                await self._receive_bytes()
        error = self._protocol.handshake_exc
        if isinstance(error, InvalidStatus):
            raise NotAccepted(error.response.status_code)
        if error is not None:
            raise InvalidHandshake("the server does not speak websocket") from error
        self._sort()

    async def _read(self) -> None:
        if self._protocol.close_rcvd is not None:
            await anyio.aclose_forcefully(self._stream)
            raise Closed(self._protocol.close_rcvd.code, self._protocol.close_rcvd.reason)
        if not await self._receive_bytes():
            raise Closed(1006, "")
        self._sort()

    async def _receive_bytes(self) -> bool:
        """Feed the protocol what arrives; False if nothing more will."""
        try:
            data = await self._stream.receive(_CHUNK)
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            self._protocol.receive_eof()
            return False
        self._protocol.receive_data(data)
        await self._flush()
        return True

    def _sort(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, WireFrame) and event.opcode in (Opcode.TEXT, Opcode.CONT):
                self._fragments.append(bytes(event.data))
                if event.fin:
                    self._messages.append(b"".join(self._fragments))
                    self._fragments.clear()

    async def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if data:
            try:
                await self._stream.send(data)
            except anyio.BrokenResourceError:
                pass
