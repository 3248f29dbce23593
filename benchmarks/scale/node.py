"""A node whose guests talk, type, come and go: `python -m ... URL FIRST COUNT SHAPE`.

No sockets: a guest is the server's end of a connection. Prints a line when all have joined.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence

import anyio
import msgspec

from benchmarks.scale.costs import TEXT
from benchmarks.scale.model import Shape
from benchmarks.servers import UNPACED
from roomkit import Handshake, Hub
from roomkit.stores.redis import RedisStore

__all__ = ["READY"]

READY = "all have joined"
_SECRET = "correct horse battery staple"
_HOUR_S = 3_600
_AT_ONCE = 100


class Guest:
    """Somebody in one room, who types before every message, and now and then leaves and joins."""

    def __init__(self, number: int, shape: Shape) -> None:
        self.handshake = Handshake(headers={})
        self.joined = anyio.Event()
        self._room = f"room-{number % shape.rooms}"
        self._talks = shape.messages_per_user_h / _HOUR_S
        self._visits = shape.visits_per_user_h / _HOUR_S
        self._says = [
            frame("hello", protocol=2, username=f"guest {number}"),
            frame("join_room", room=self._room, history=0),
        ]

    async def receive(self) -> str:
        """The next frame, when it is time."""
        if not self._says:
            await anyio.sleep(random.expovariate(self._talks + self._visits))
            if random.random() * (self._talks + self._visits) < self._talks:
                self._says = [
                    frame("typing_start", room=self._room),
                    frame("send_message", room=self._room, message=TEXT),
                ]
            else:
                self._says = [
                    frame("leave_room", room=self._room),
                    frame("join_room", room=self._room, history=0),
                ]
        return self._says.pop(0)

    async def send(self, frames: Sequence[bytes]) -> None:
        if not self.joined.is_set() and any(b'"room_joined"' in frame for frame in frames):
            self.joined.set()

    async def close(self, code: int, reason: str) -> None:
        pass

    def abort(self) -> None:
        pass


def frame(kind: str, **data: object) -> str:
    return msgspec.json.encode({"type": kind, "data": data}).decode()


async def main(url: str, first: int, count: int, shape: Shape) -> None:
    """Serve guests until this is killed."""
    hub = Hub(store=RedisStore(url, limits=UNPACED), limits=UNPACED, secret=_SECRET)
    guests = [Guest(number, shape) for number in range(first, first + count)]
    async with hub, anyio.create_task_group() as tasks:
        for start in range(0, count, _AT_ONCE):
            some = guests[start : start + _AT_ONCE]
            for guest in some:
                tasks.start_soon(hub.serve, guest)
            for guest in some:
                await guest.joined.wait()
        print(READY, flush=True)


if __name__ == "__main__":
    shape = msgspec.json.decode(sys.argv[4], type=Shape)
    anyio.run(main, sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), shape)
