"""The store that remembers in this process: its calls, leases, and letting old rooms go.

What one room keeps is in `memory_room.py`, what handles tell each other in `handles.py`. No call
waits, so every call is atomic.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from secrets import token_bytes

from roomkit.core.effects import Append
from roomkit.core.storage import (
    Hint,
    LogSlice,
    MessagePage,
    MessageRow,
    Outcome,
    PageQuery,
    RoomRecord,
    Snapshot,
    Tip,
)
from roomkit.ids import NodeId, RoomId
from roomkit.limits import Limits
from roomkit.stores.handles import Followers, StoreHandle
from roomkit.stores.memory_room import NONCE_MS, MemoryRoom

__all__ = ["MemoryStore"]

_SWEPT = 8  # rooms an append call looks at beyond those it can create: no call makes a long pause

_DEFAULT_LIMITS = Limits()


class _Shared:
    """What all handles on the same rooms have in common."""

    def __init__(self, limits: Limits, messages: int, clock: Callable[[], float]) -> None:
        self.limits = limits
        self.messages = messages
        self.clock = clock
        self.rooms: OrderedDict[RoomId, MemoryRoom] = OrderedDict()  # last appended to last
        self.names: list[RoomId] = []  # the same rooms in code point order
        self.followers: Followers = {}
        self.leases: dict[NodeId, float] = {}
        self.secret = token_bytes(32)
        self.keep_ms = max(limits.log_age_ms, limits.idempotency_ms, NONCE_MS)

    def add(self, name: RoomId, room: MemoryRoom) -> None:
        self.rooms[name] = room
        insort(self.names, name)

    def sweep(self, now: int, most: int) -> None:
        """Drop rooms that nobody follows and nobody has appended to for `keep_ms`.

        Rooms are looked at from the longest untouched on. One stamped by a clock that ran ahead
        does not hold up the others.
        """
        rooms = self.rooms
        while rooms and most > 0:
            name = next(iter(rooms))
            age = now - rooms[name].last_at
            if 0 <= age <= self.keep_ms:
                return
            if age < 0 or name in self.followers:
                rooms.move_to_end(name)
            else:
                del rooms[name]
                del self.names[bisect_left(self.names, name)]
            most -= 1


class MemoryStore(StoreHandle):
    """Keeps rooms in memory: everything `Store` promises, until the process ends.

    A room without followers is forgotten when its last entry is older than `limits.log_age_ms` (at
    least a day, and never before its keys may be).

    Args:
        limits: the same as the hub's.
        messages: how many messages a room's archive keeps, the newest; 1 or more.
        clock: monotonic seconds, for leases.

    Raises:
        ValueError: `messages` is below 1.
    """

    def __init__(
        self,
        *,
        limits: Limits = _DEFAULT_LIMITS,
        messages: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if messages < 1:
            raise ValueError(f"messages must be 1 or more, not {messages}: a room keeps its newest")
        self._shared = _Shared(limits, messages, clock)
        super().__init__(self._shared.followers)

    @property
    def durability(self) -> str:
        return "memory"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Nothing to hold; on leaving, this handle follows no room any more."""
        try:
            yield
        finally:
            self._unfollow_all()

    def lane(self, room: RoomId) -> int:
        return 0

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        """As the contract says.

        Raises:
            ValueError: an append has no facts; nothing of the call was stored.
        """
        return self.append_at_once(appends, now)

    def append_at_once(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        """What `append` does, for whoever can spare the waiting."""
        for append in appends:
            if not append.facts:
                raise ValueError(f"an append to {append.room!r} has no facts: give it at least one")
        outcomes = [self._append(append, now) for append in appends]
        self._shared.sweep(now, len(appends) + _SWEPT)
        return outcomes

    def _append(self, append: Append, now: int) -> Outcome:
        shared, name = self._shared, append.room
        room = shared.rooms.get(name)
        if room is None:
            room = MemoryRoom(shared.limits, shared.messages)
        before = room.tip_seq
        outcome = room.append(append, now)
        if room.tip_seq == before:
            return outcome
        if before == 0:
            shared.add(name, room)
        else:
            shared.rooms.move_to_end(name)
        if self._others_follow(name):
            self._tell(name, Hint(name, room.after(before)))
        return outcome

    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        found = self._shared.rooms.get(room)
        return found.read(after, limit) if found else LogSlice(None, (), Tip(0, "", 0), 0)

    async def load(self, room: RoomId) -> RoomRecord:
        found = self._shared.rooms.get(room)
        return found.load() if found else RoomRecord(None, (), ())

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        found = self._shared.rooms.get(room)
        return found.save(snapshot, messages, now) if found else False

    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        found = self._shared.rooms.get(room)
        return found.page(query, limit) if found else MessagePage((), 0, False, False, True)

    async def tips(self, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
        kept = self._shared.rooms
        return {name: kept[name].tip() for name in rooms if name in kept}

    async def rooms(self, after: RoomId | None, limit: int) -> Sequence[RoomId]:
        names = self._shared.names
        start = 0 if after is None else bisect_right(names, after)
        return names[start : start + limit]

    async def renew(self, node: NodeId, ttl_ms: int) -> bool:
        leases, now = self._shared.leases, self._shared.clock()
        if node not in leases:
            for lapsed in [node for node, until in leases.items() if until <= now]:
                del leases[lapsed]
        leases[node] = now + ttl_ms / 1000
        return True

    async def lapsed(self, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        leases, now = self._shared.leases, self._shared.clock()
        return [node for node in nodes if leases.get(node, now) <= now]

    async def secret(self) -> bytes:
        return self._shared.secret
