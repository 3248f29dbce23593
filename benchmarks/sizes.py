"""How much of everything: the whole suite, and one small enough for CI."""

from __future__ import annotations

import resource
from typing import NamedTuple

__all__ = ["FULL", "QUICK", "Sizes"]

_SPARE_FILES = 500


class Sizes(NamedTuple):
    """How long each run lasts, how often it is repeated, and how many take part.

    Attributes:
        seconds: of each run that lasts for a time.
        turns: of all contenders, one after the other.
        warm_s: before each of those, and not counted.
        members: of the one large room.
        rooms: how many there are where there are many.
        room_members: of each of those.
        arriving: clients that come to these rooms.
        idle: connections that only stay; fewer where fewer files may be open.
        writers: people who write in the open loop, together so many messages a second.
        people: of the chat day.
        kept: messages in the room whose pages are read.
        scaling_rooms: how many rooms there are while a message is priced.
        scaling_members: how many members the room has.
    """

    seconds: float = 4.0
    turns: int = 3
    warm_s: float = 0.5
    members: int = 1_000
    rooms: int = 100
    room_members: int = 20
    arriving: int = 5_000
    idle: int = 19_000
    writers: int = 20
    messages_per_s: int = 1_000
    people: int = 500
    kept: int = 1_000
    scaling_rooms: tuple[int, ...] = (1, 100, 10_000)
    scaling_members: tuple[int, ...] = (10, 1_000, 10_000)

    def possible(self) -> Sizes:
        """Return the same with no more connections than files may be open."""
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - _SPARE_FILES
        return self._replace(
            members=min(self.members, most),
            arriving=min(self.arriving, most),
            idle=min(self.idle, most),
            scaling_members=tuple(min(members, most) for members in self.scaling_members),
        )


FULL = Sizes()
QUICK = Sizes(
    seconds=0.3, turns=1, warm_s=0.1, members=60, rooms=5, room_members=10, arriving=100, idle=200,
    writers=5, messages_per_s=100, people=30, kept=60,
    scaling_rooms=(1, 10), scaling_members=(2, 20),
)  # fmt: skip
