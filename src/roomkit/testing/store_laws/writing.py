"""How the suite writes to a store: as nodes that count their appends, lane by lane, like a hub."""

from __future__ import annotations

import time
from collections.abc import Sequence

from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import Entry, Known, MessageRow, Nonce, Outcome, Snapshot, Stored
from roomkit.ids import NodeId, Position, RoomId
from roomkit.stores.base import Store

__all__ = [
    "LOBBY",
    "MINUTE_MS",
    "Writer",
    "entries_of",
    "items_of",
    "keyed",
    "log_of",
    "rows",
    "snapshot_at",
    "submit",
    "wall",
]

LOBBY = RoomId("lobby")
MINUTE_MS = 60_000


def wall() -> int:
    """Milliseconds since the Unix epoch: a store may compare it with a clock of its own."""
    return time.time_ns() // 1_000_000


def keyed(key: str, fact: bytes) -> FactItem:
    return FactItem(key, fact)


class Writer:
    """A node that appends; every append it makes has the next counter."""

    def __init__(self, name: str = "node-1") -> None:
        self.node = NodeId(name)
        self.counter = 0

    def append(
        self,
        room: RoomId,
        *facts: bytes | FactItem,
        fence: str = "",
        control: bool = False,
        after: Position | None = None,
    ) -> Append:
        self.counter += 1
        items = tuple(FactItem(None, fact) if isinstance(fact, bytes) else fact for fact in facts)
        return Append(room, Nonce(self.node, self.counter), fence, items, control, after)

    async def write(
        self, store: Store, room: RoomId, *facts: bytes, now: int, fence: str = ""
    ) -> tuple[Entry, ...]:
        """Append these facts and return their entries."""
        (outcome,) = await submit(store, [self.append(room, *facts, fence=fence)], now)
        return entries_of(outcome)

    async def fill(self, store: Store, room: RoomId, count: int, now: int) -> tuple[Entry, ...]:
        """Append this many different facts at once."""
        return await self.write(store, room, *(b"fact %d" % n for n in range(count)), now=now)

    async def control(self, store: Store, room: RoomId, now: int, fence: str = "") -> Entry:
        """Append one control fact and return its entry."""
        append = self.append(room, b"control", fence=fence, control=True)
        (outcome,) = await submit(store, [append], now)
        (entry,) = entries_of(outcome)
        return entry


async def submit(store: Store, appends: Sequence[Append], now: int) -> list[Outcome]:
    """Append all of these, one call a lane, and return the outcomes in the order given."""
    outcomes: dict[int, Outcome] = {}
    for lane in dict.fromkeys(store.lane(append.room) for append in appends):
        chosen = [index for index, append in enumerate(appends) if store.lane(append.room) == lane]
        answers = await store.append([appends[index] for index in chosen], now)
        outcomes.update(zip(chosen, answers, strict=True))
    return [outcomes[index] for index in range(len(appends))]


def items_of(outcome: Outcome) -> tuple[Entry | Known, ...]:
    assert isinstance(outcome, Stored)
    return outcome.items


def entries_of(outcome: Outcome) -> tuple[Entry, ...]:
    """Return the items of an outcome that must be new entries, all of them."""
    items = items_of(outcome)
    entries = tuple(item for item in items if isinstance(item, Entry))
    assert entries == items
    return entries


async def log_of(store: Store, room: RoomId) -> tuple[Entry, ...]:
    """Read every entry the store keeps of this room."""
    return (await store.read(room, 0, 1_000_000)).entries


def snapshot_at(entry: Entry, state: bytes = b"state", format: int = 1) -> Snapshot:
    return Snapshot(entry.position, format, state)


def rows(*seqs: int, body: str = "message") -> tuple[MessageRow, ...]:
    return tuple(MessageRow(seq, f"{body} {seq}".encode()) for seq in seqs)
