"""A client of the storm: raw, but it keeps its session and position, and waits as clients must."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from benchmarks.frames import PING, UPGRADED, frames_in, handshake, pong, text_frame
from roomkit.client.backoff import Backoff

__all__ = ["Member", "Tally"]


@dataclass
class Tally:
    """What all of them counted.

    Attributes:
        refusals: by what was said: an error's code, a close, or a handshake that failed.
        back_s: when each was back in its room, in seconds since the cut.
        recovered: how often with `recovered: true`.
        seen_leaving: members shown leaving.
    """

    refusals: Counter[str] = field(default_factory=Counter[str])
    back_s: list[float] = field(default_factory=list[float])
    recovered: int = 0
    seen_leaving: int = 0


class Member(asyncio.Protocol):
    """One client in one room.

    Args:
        address: of the loopback interface, to connect from.

    Attributes:
        port: where its server is.
        latencies: when each of its own messages was sent, and after how many seconds it came back.
    """

    def __init__(
        self, port: int, room: str, number: int, tally: Tally, address: str = "127.0.0.1"
    ) -> None:
        self.room = room
        self.port = port
        self.latencies: list[tuple[float, float]] = []
        self._address = address
        self._name = f"user-{number}"
        self._tally = tally
        self._backoff = Backoff(random.random)
        self._credentials: dict[str, str] = {}
        self._last = b""
        self._sent_at: deque[float] = deque()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._upgraded = False
        self._joined: asyncio.Future[bool | None] | None = None

    # What it does

    async def arrive(self) -> bool | None:
        """Connect, say hello, join; return the `recovered` of the answer.

        Raises:
            OSError: refused, or cut before it was in the room.
        """
        self.drop()
        await asyncio.sleep(0)  # nothing more is heard of the connection before
        loop = asyncio.get_running_loop()
        since = self._position()
        self._joined = loop.create_future()
        self._buffer.clear()
        self._upgraded = False
        here = (self._address, 0)
        await loop.create_connection(lambda: self, "127.0.0.1", self.port, local_addr=here)
        self.write(handshake(self.port))
        self._say("hello", protocol=2, username=self._name, **self._credentials)
        self._say("join_room", room=self.room, history=0, **since)
        return await self._joined

    async def come_back(self, cut_at: float) -> None:
        """Wait and try, as the protocol page tells clients to, until it is in its room again."""
        while True:
            await asyncio.sleep(self._backoff.next() / 1000)
            try:
                recovered = await self.arrive()
            except OSError as error:
                self._tally.refusals[str(error)] += 1
                continue
            self._tally.back_s.append(time.perf_counter() - cut_at)
            self._tally.recovered += recovered is True
            return

    def post(self) -> None:
        """Send a message and note when."""
        self._sent_at.append(time.perf_counter())
        self._say("send_message", room=self.room, message="The quick brown fox")

    def drop(self) -> None:
        """Cut the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    # What it is told

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("the connection was closed before the room was joined")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, end, _ = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(UPGRADED):
                self._end(head.split(b"\r\n")[0].decode())
                return
            del self._buffer[: len(head) + 4]
            self._upgraded = True
        for opcode, payload in frames_in(self._buffer):
            if opcode == PING:
                self.write(pong(payload))
            else:
                self._heard(payload)

    def _heard(self, payload: bytes) -> None:
        """Read no more of a frame than is needed: the load must stay ahead of the server."""
        kind = payload[9 : payload.find(b'"', 9)]
        if kind in (b"roster_changed", b"new_message", b"room_advanced"):
            self._last = payload
            if kind == b"roster_changed" and b'"left":[]' not in payload:
                self._tally.seen_leaving += len(json.loads(payload)["data"]["left"])
            if kind == b"new_message" and self._sent_at:
                sent_at = self._sent_at.popleft()
                self.latencies.append((sent_at, time.perf_counter() - sent_at))
            return
        if not payload.startswith(b'{"type":'):
            return  # the websocket's own goodbye
        data = json.loads(payload)["data"]
        match kind:
            case b"welcome":
                self._credentials = {"token": data["guest_token"], "session": data["session"]}
            case b"room_joined":
                self._last = payload
                if self._joined is not None and not self._joined.done():
                    self._joined.set_result(data["recovered"])
            case b"ping":
                self._say("pong", t=data["t"])
            case b"error":
                self._end(data["code"])
            case _:
                pass

    def _position(self) -> dict[str, dict[str, object]]:
        if not self._last:
            return {}
        data = json.loads(self._last)["data"]
        return {"since": {"seq": data["seq"], "link": data["link"]}}

    def _say(self, kind: str, **data: object) -> None:
        self.write(text_frame(kind, **data))

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def _end(self, why: str) -> None:
        if self._joined is not None and not self._joined.done():
            self._joined.set_exception(ConnectionError(why))
