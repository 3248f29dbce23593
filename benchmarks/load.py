"""Clients that do as little as they can, so that the server is what is measured.

They read raw bytes and count the frames that announce a message; what need not be understood is not
parsed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from benchmarks.frames import client_frame, handshake

__all__ = ["Client", "connect", "fan_out"]

MESSAGE = b'"new_message"'
JOINED = b'"room_joined"'
TEXT = "The quick brown fox jumps over the lazy dog. " * 3


class Client(asyncio.Protocol):
    """One websocket; counts the messages it has been sent.

    Attributes:
        sent_at: when the message that will be this connection's nth was posted.
        latencies: seconds from posting to coming back, of the messages noted in `sent_at`.
    """

    def __init__(self) -> None:
        self.messages = 0
        self._kept = b""
        self._upgraded = False
        self._arrived = asyncio.Event()
        self._seen: set[bytes] = set()
        self.transport: asyncio.Transport | None = None
        self.sent_at: dict[int, float] = {}
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        text = self._kept + data
        found = text.count(MESSAGE)
        if found:
            now = time.perf_counter()
            for number in range(self.messages, self.messages + found):
                begun = self.sent_at.pop(number, None)
                if begun is not None:
                    self.latencies.append(now - begun)
            self.messages += found
        for mark in (b"\r\n\r\n", JOINED):
            if mark in text:
                self._seen.add(mark)
        cut = max(text.rfind(MESSAGE) + len(MESSAGE) if found else 0, len(text) - len(MESSAGE))
        self._kept = text[cut:]
        self._arrived.set()

    def stop_reading(self) -> None:
        """Never read again: a phone in a tunnel."""
        assert self.transport is not None
        self.transport.pause_reading()

    def close(self) -> None:
        """Drop the connection."""
        assert self.transport is not None
        self.transport.abort()

    async def until(self, mark: bytes) -> None:
        """Wait until something was received."""
        while mark not in self._seen:
            await self._next()

    async def until_messages(self, count: int) -> None:
        """Wait until so many messages were received in all."""
        while self.messages < count:
            await self._next()

    async def _next(self) -> None:
        self._arrived.clear()
        async with asyncio.timeout(60):
            await self._arrived.wait()

    def send(self, kind: str, **data: object) -> None:
        """Send one frame."""
        assert self.transport is not None
        self.transport.write(client_frame(kind, **data))


async def connect(port: int, room: str, number: int) -> Client:
    """Connect, say hello, join a room, and return when it is joined."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(Client, "127.0.0.1", port)
    assert client.transport is not None
    client.transport.write(handshake(port))
    await client.until(b"\r\n\r\n")
    client.send("hello", protocol=2, username=f"user-{number}")
    client.send("join_room", room=room, history=0)
    await client.until(JOINED)
    return client


async def fan_out(
    clients: Sequence[Client], room: str, window: int, seconds: float
) -> dict[str, float]:
    """Have the first client post with `window` messages in flight; count what everybody gets.

    Returns:
        Messages and deliveries a second, and how long a message took to come back to its author.
    """
    sender = clients[0]
    had = [client.messages for client in clients]
    sent = 0
    begun = time.perf_counter()
    while time.perf_counter() < begun + seconds:
        while sent - (sender.messages - had[0]) < window:
            sender.sent_at[had[0] + sent] = time.perf_counter()
            sender.send("send_message", room=room, message=TEXT)
            sent += 1
        await sender.until_messages(sender.messages + 1)
    for client, before in zip(clients, had, strict=True):
        await client.until_messages(before + sent)
    took = time.perf_counter() - begun
    latencies = sorted(sender.latencies)
    sender.latencies.clear()
    return {
        "messages_per_s": sent / took,
        "deliveries_per_s": sent * len(clients) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
    }
