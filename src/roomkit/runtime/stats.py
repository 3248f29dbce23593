"""What a hub counts, and the picture of it a host may look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

__all__ = ["Counters", "HubStats"]


class HubStats(msgspec.Struct, frozen=True, kw_only=True):
    """A hub at one moment. Counts are since it was entered.

    Attributes:
        connections: being served now.
        rooms: with a connection in them now.
        waiting_bytes: queued for clients or handed to a transport that has not finished.
        received: frames from clients.
        delivered: frames whose transport took them.
        shed: ephemeral frames dropped because their reader was slow.
        closes: connections closed by this side, by close code.
        durability: what an acknowledged message has been, as `Hub.durability` says.
    """

    connections: int = 0
    rooms: int = 0
    waiting_bytes: int = 0
    received: int = 0
    delivered: int = 0
    shed: int = 0
    closes: Mapping[int, int] = {}
    durability: str


class Counters:
    """What only grows."""

    __slots__ = ("closes", "delivered", "received", "shed")

    def __init__(self) -> None:
        self.received = 0
        self.delivered = 0
        self.shed = 0
        self.closes: Counter[int] = Counter()
