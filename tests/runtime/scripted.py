"""A websocket whose peer does as the test says, and a store that fails on demand."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
import msgspec

from roomkit import Handshake, Hub, TransportClosed

PATIENCE_SECONDS = 10.0


async def eventually(
    condition: Callable[[], object], what: str = "it", patience: float = PATIENCE_SECONDS
) -> None:
    """Wait for a condition, and give up on the test if it does not come true."""
    deadline = anyio.current_time() + patience
    while not condition():
        assert anyio.current_time() < deadline, f"{what} did not happen"
        await anyio.sleep(0.001)


class ScriptedTransport:
    """A transport that keeps what it is sent, and whose peer can stop reading or closing.

    Attributes:
        sent: frames the peer has read, or could have.
        closed: what `close` was called with.
        aborted: whether `abort` was called.
    """

    def __init__(self, handshake: Handshake | None = None) -> None:
        self.handshake = handshake or Handshake(headers={})
        self.sent: list[bytes] = []
        self.calls: list[int] = []
        self.closed: tuple[int, str] | None = None
        self.aborted = False
        self._incoming: deque[str | bytes] = deque()
        self._arrived = anyio.Event()
        self._gone = anyio.Event()
        self._reads = anyio.Event()
        self._reads.set()
        self._closes = anyio.Event()
        self._closes.set()

    # What the peer does

    def put(self, *messages: str | bytes) -> None:
        self._incoming.extend(messages)
        self._arrived.set()

    def say(self, type: str, **data: object) -> None:
        self.put(msgspec.json.encode({"type": type, "data": data}).decode())

    def hang_up(self) -> None:
        self._gone.set()
        self._arrived.set()

    def stop_reading(self) -> None:
        self._reads = anyio.Event()

    def read_on(self) -> None:
        self._reads.set()

    def refuse_to_close(self) -> None:
        self._closes = anyio.Event()

    def close_at_last(self) -> None:
        self._closes.set()

    # What it got

    def frames(self) -> list[tuple[str, dict[str, object]]]:
        envelopes = [msgspec.json.decode(frame, type=dict[str, object]) for frame in self.sent]
        return [(str(one["type"]), msgspec.convert(one["data"], dict)) for one in envelopes]

    def types(self) -> list[str]:
        return [type for type, _ in self.frames()]

    async def data_of(self, type: str) -> dict[str, object]:
        """The data of the first frame of a type, waiting for it."""
        await eventually(lambda: type in self.types(), f"a {type!r} frame, after {self.types()}")
        return dict(self.frames())[type]

    async def over(self) -> float:
        """Wait until it is closed or aborted; return the seconds that took."""
        begun = anyio.current_time()
        await self._gone.wait()
        return anyio.current_time() - begun

    # The contract

    async def receive(self) -> str | bytes:
        while not self._incoming:
            if self._gone.is_set():
                raise TransportClosed
            self._arrived = anyio.Event()
            await self._arrived.wait()
        return self._incoming.popleft()

    async def send(self, frames: Sequence[bytes]) -> None:
        await self._reads.wait()
        if self._gone.is_set():
            raise TransportClosed
        self.sent += frames
        self.calls.append(len(frames))

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)
        await self._closes.wait()
        self.hang_up()

    def abort(self) -> None:
        self.aborted = True
        self.hang_up()


@asynccontextmanager
async def served(hub: Hub, *transports: ScriptedTransport) -> AsyncGenerator[None]:
    """Serve these connections; at the end they hang up and are waited for."""
    async with anyio.create_task_group() as tasks:
        for transport in transports:
            tasks.start_soon(hub.serve, transport)
        try:
            yield
        finally:
            for transport in transports:
                transport.read_on()
                transport.hang_up()


async def join(transport: ScriptedTransport, username: str, room: str = "lobby") -> str:
    """Say hello, join a room, and return the user id given."""
    transport.say("hello", protocol=2, username=username)
    transport.say("join_room", room=room, ref="join")
    await transport.data_of("room_joined")
    user = msgspec.convert((await transport.data_of("welcome"))["user"], dict[str, str])
    return user["user_id"]
