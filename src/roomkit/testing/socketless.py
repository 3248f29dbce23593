"""Talking to a hub without a socket: the two ends of a connection in memory.

```python
async with Hub() as hub, connect(hub) as alice:
    await alice.send("hello", {"protocol": 2, "username": "alice"})
    welcome = await alice.receive()
```

Everything a real connection goes through is there: the codec, the handshake, the outbox,
back-pressure and close codes. Only the websocket is missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
import msgspec
from anyio.lowlevel import checkpoint

from roomkit.runtime import Handshake, Hub, TransportClosed

__all__ = ["PATIENCE_SECONDS", "WINDOW_BYTES", "Client", "Frame", "SocketlessTransport", "connect"]

PATIENCE_SECONDS = 5.0
"""How long a client waits for a frame before it gives up on the test."""

WINDOW_BYTES = 64 * 1024
"""What the hub may send that the client has not read, before `send` waits: a socket's buffers."""

_ABNORMAL = 1006  # RFC 6455, 7.4.1: closed without a close frame
_NORMAL = 1000


class Frame(msgspec.Struct, frozen=True):
    """One frame, as it is on the wire: `{"type": ..., "data": {...}}`."""

    type: str
    data: dict[str, object]


class SocketlessTransport:
    """The hub's end. Frames that the peer has not read yet are held up to `window_bytes`."""

    def __init__(self, handshake: Handshake, window_bytes: int = WINDOW_BYTES) -> None:
        self.handshake = handshake
        self.close_code: int | None = None
        self.close_reason = ""
        self._window = window_bytes
        self._from_client: deque[str | bytes] = deque()
        self._to_client: deque[bytes] = deque()
        self._unread = 0
        self._changed = anyio.Event()

    # The `Transport` contract

    async def receive(self) -> str | bytes:
        await checkpoint()
        while not self._from_client:
            self._raise_if_closed()
            await self._changed.wait()
        return self._from_client.popleft()

    async def send(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self._raise_if_closed()
            while self._unread and self._unread + len(frame) > self._window:
                await self._changed.wait()
                self._raise_if_closed()
            self._to_client.append(frame)
            self._unread += len(frame)
            self._notify()

    async def close(self, code: int, reason: str) -> None:
        self._end(code, reason)

    def abort(self) -> None:
        self._to_client.clear()
        self._end(_ABNORMAL, "aborted")

    # The client's end

    def put(self, message: str | bytes) -> None:
        """Let the hub receive a message."""
        self._raise_if_closed()
        self._from_client.append(message)
        self._notify()

    async def take(self) -> bytes:
        """Return the next frame the hub sent."""
        while not self._to_client:
            self._raise_if_closed()
            await self._changed.wait()
        frame = self._to_client.popleft()
        self._unread -= len(frame)
        self._notify()
        return frame

    def hang_up(self) -> None:
        """Close from the client's side; what the hub has not received is lost."""
        self._from_client.clear()
        self._end(_NORMAL, "")

    def _end(self, code: int, reason: str) -> None:
        if self.close_code is None:
            self.close_code, self.close_reason = code, reason
            self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _raise_if_closed(self) -> None:
        if self.close_code is not None:
            raise TransportClosed(
                f"closed with {self.close_code}: {self.close_reason or 'no reason'}"
            )


class Client:
    """The client's end of a connection. Made by `connect`."""

    def __init__(self, transport: SocketlessTransport) -> None:
        self._transport = transport

    @property
    def close_code(self) -> int | None:
        """The code the connection was closed with, by whichever side; None while it is open."""
        return self._transport.close_code

    async def send(self, type: str, data: Mapping[str, object]) -> None:
        """Send a frame.

        Raises:
            TransportClosed: the connection is closed.
        """
        await self.send_text(msgspec.json.encode({"type": type, "data": data}).decode())

    async def send_text(self, message: str) -> None:
        """Send a message that need not be a frame.

        Raises:
            TransportClosed: the connection is closed.
        """
        self._transport.put(message)
        await checkpoint()

    async def receive(self) -> Frame:
        """Return the next frame.

        Raises:
            TransportClosed: the connection is closed, and every frame sent before has been
            returned. TimeoutError: none came within `PATIENCE_SECONDS`.
        """
        with anyio.move_on_after(PATIENCE_SECONDS):
            return msgspec.json.decode(await self._transport.take(), type=Frame)
        raise TimeoutError(f"the hub sent no frame within {PATIENCE_SECONDS:g} s; one was expected")

    async def receive_type(self, type: str) -> Frame:
        """Return the next frame of a type; those before it are dropped.

        Raises:
            TransportClosed, TimeoutError: as `receive`.
        """
        while (frame := await self.receive()).type != type:
            pass
        return frame

    async def close(self) -> None:
        """Hang up. Repeating it is harmless."""
        self._transport.hang_up()
        await checkpoint()


@asynccontextmanager
async def connect(
    hub: Hub, handshake: Handshake | None = None, *, window_bytes: int = WINDOW_BYTES
) -> AsyncGenerator[Client]:
    """Connect to a running hub. At the end the client hangs up and is waited for.

    Args:
        handshake: the request, as an authentication hook will see it; by default one without
            headers.
        window_bytes: how much the client may leave unread; a small window makes a slow reader.
    """
    transport = SocketlessTransport(handshake or Handshake(headers={}), window_bytes)
    client = Client(transport)
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hub.serve, transport)
        try:
            yield client
        except Exception as error:  # noqa: BLE001 - raised again below, outside the task group
            failure = error
        await client.close()
    if failure is not None:
        raise failure
