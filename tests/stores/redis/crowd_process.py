"""A node with many people at it, to be killed: `python -m ... URL PREFIX` says they are there."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import anyio
import msgspec

from roomkit import Handshake, Hub
from roomkit.stores.redis import RedisStore
from tests.stores.redis.quick import CROWDED, SECRET

__all__ = ["PEOPLE", "ROOMS"]

ROOMS = 500
PEOPLE = 10_000


class Guest:
    """The server's end of a connection whose peer joins a room and then only listens."""

    def __init__(self, number: int) -> None:
        self.handshake = Handshake(headers={})
        self.joined = anyio.Event()
        self._says = [
            {"type": "hello", "data": {"protocol": 2, "username": f"guest {number}"}},
            {"type": "join_room", "data": {"room": f"room-{number % ROOMS}"}},
        ]

    async def receive(self) -> str:
        if not self._says:
            await anyio.sleep_forever()
        return msgspec.json.encode(self._says.pop(0)).decode()

    async def send(self, frames: Sequence[bytes]) -> None:
        if any(b'"room_joined"' in frame for frame in frames):
            self.joined.set()

    async def close(self, code: int, reason: str) -> None:
        pass

    def abort(self) -> None:
        pass


async def main(url: str, prefix: str) -> None:
    hub = Hub(store=RedisStore(url, limits=CROWDED, prefix=prefix), limits=CROWDED, secret=SECRET)
    async with hub, anyio.create_task_group() as tasks:
        for start in range(0, PEOPLE, ROOMS):
            guests = [Guest(number) for number in range(start, start + ROOMS)]
            for guest in guests:
                tasks.start_soon(hub.serve, guest)
            for guest in guests:
                await guest.joined.wait()
        print("all are there", flush=True)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2])
