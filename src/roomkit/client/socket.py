"""A websocket for a client: the `websockets` library's protocol over a stream of anyio's.

It runs on asyncio and trio, and knows nothing of chat.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Self

import anyio
from anyio.abc import ByteStream

try:
    from websockets.client import ClientProtocol
    from websockets.exceptions import InvalidState, InvalidStatus, InvalidURI
    from websockets.frames import Frame, Opcode
    from websockets.protocol import CONNECTING
    from websockets.uri import parse_uri
except ModuleNotFoundError as error:
    raise ImportError(
        "roomkit.client needs the websockets library: pip install 'roomkit-chat[client]'"
    ) from error

__all__ = ["Socket", "SocketClosed", "SocketRefused", "check_url"]

_ABNORMAL = 1006  # RFC 6455, 7.4.1: closed without a close frame
_CHUNK = 65_536


class SocketClosed(Exception):
    """The connection is over; `code` is 1006 if it ended without a close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class SocketRefused(Exception):
    """The opening handshake failed; `status` is the HTTP status, 0 if there was none."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered with status {status}" if status else "no websocket")
        self.status = status


def check_url(url: str) -> None:
    """Raise ValueError unless this is the URL of a websocket."""
    try:
        parse_uri(url)
    except InvalidURI as error:
        raise ValueError(f"{url!r} is no websocket URL: write ws://host/path or wss://…") from error


class Socket:
    """One connection. Made by `connect`."""

    def __init__(self, stream: ByteStream, protocol: ClientProtocol) -> None:
        self._stream = stream
        self.protocol = protocol
        self._messages: deque[bytes] = deque()
        self._fragments: list[bytes] = []
        self._writing = anyio.Lock()

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        max_bytes: int | None = None,
    ) -> AsyncGenerator[Self]:
        """Open a connection; leaving drops it without a word if it is still open.

        Args:
            headers: added to the request, `Origin` for one.
            tls: for wss: how to trust the server; by default as the system does.
            max_bytes: a longer message ends the connection.

        Raises:
            OSError: nobody listens there, or TLS failed.
            SocketRefused: the server does not want to, or is none.
        """
        uri = parse_uri(url)
        protocol = ClientProtocol(uri, max_size=max_bytes)
        request = protocol.connect()
        request.headers.update(headers or {})
        stream: ByteStream
        if uri.secure:
            stream = await anyio.connect_tcp(
                uri.host, uri.port, ssl_context=tls, tls=True, tls_standard_compatible=False
            )
        else:
            stream = await anyio.connect_tcp(uri.host, uri.port)
        socket = cls(stream, protocol)
        try:
            protocol.send_request(request)
            await socket.flush()
            await socket._shake_hands()
            yield socket
        finally:
            await anyio.aclose_forcefully(stream)

    async def receive(self) -> bytes:
        """Return the next message. Cancelling loses none.

        Raises:
            SocketClosed: there will be no further message.
        """
        while not self._messages:
            closing = self.protocol.close_rcvd
            if closing is not None:
                raise SocketClosed(closing.code, closing.reason)
            if not await self._read():
                raise SocketClosed(_ABNORMAL, "")
            self._sort()
        return self._messages.popleft()

    async def send(self, message: bytes) -> None:
        """Send a text message, waiting while the peer does not read.

        A connection that is over is found out by reading.
        """
        try:
            self.protocol.send_text(message)
        except InvalidState:
            return
        await self.flush()

    async def close(self, code: int, reason: str) -> None:
        """Say that we close; the answer is read like anything else."""
        try:
            self.protocol.send_close(code, reason)
        except InvalidState:
            return
        await self.flush()

    async def flush(self) -> None:
        """Write what the protocol wants written; a peer that is gone is found out by reading."""
        async with self._writing:
            data = b"".join(self.protocol.data_to_send())
            if data:
                try:
                    await self._stream.send(data)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    pass

    async def _shake_hands(self) -> None:
        while self.protocol.state is CONNECTING and self.protocol.handshake_exc is None:
            await self._read()
        error = self.protocol.handshake_exc
        if isinstance(error, InvalidStatus):
            raise SocketRefused(error.response.status_code) from error
        if error is not None:
            raise SocketRefused(0) from error
        self._sort()

    async def _read(self) -> bool:
        """Feed the protocol what arrives; False if nothing more will."""
        try:
            data = await self._stream.receive(_CHUNK)
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            self.protocol.receive_eof()
            return False
        self.protocol.receive_data(data)
        await self.flush()
        return True

    def _sort(self) -> None:
        for event in self.protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.CONT):
                self._fragments.append(bytes(event.data))
                if event.fin:
                    self._messages.append(b"".join(self._fragments))
                    self._fragments.clear()
