"""A store whose calls wait or fail when a test says so, and which keeps a record of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio

from roomkit import MemoryStore
from roomkit.core.effects import Append
from roomkit.core.storage import (
    LogSlice,
    MessagePage,
    MessageRow,
    Outcome,
    PageQuery,
    RoomRecord,
    Snapshot,
    StoreFeed,
    Tip,
)
from roomkit.ids import NodeId, RoomId


class FaultyStore:
    """A memory store behind a gate.

    Attributes:
        trouble: what the next calls of a name raise, instead of being done.
        gates: a call of a name waits for its gate before it is done.
        lanes: how many lanes rooms are spread over, by the length of their name.
        appends: the rooms of each append call, in order.
        calls: names of all calls but appends, in the order they were begun.
        running: calls on their way now; `most` was the most at once.
    """

    def __init__(self, lanes: int = 1) -> None:
        self.store = MemoryStore()
        self.trouble: dict[str, BaseException | type[BaseException]] = {}
        self.gates: dict[str, anyio.Event] = {}
        self.lanes = lanes
        self.appends: list[list[RoomId]] = []
        self.calls: list[str] = []
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.feeds = 0
        self.feed_ends = anyio.Event()
        self.feed_brings: list[StoreFeed] = []

    durability = "faulty"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        async with self.store.open():
            yield

    def lane(self, room: RoomId) -> int:
        return len(room) % self.lanes

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        self.appends.append([append.room for append in appends])
        async with self._call(f"append {self.lane(appends[0].room)}"):
            await self._troubles("append")
            return await self.store.append(appends, now)

    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        async with self._beside("read"):
            return await self.store.read(room, after, limit)

    async def load(self, room: RoomId) -> RoomRecord:
        async with self._beside("load"):
            return await self.store.load(room)

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        async with self._beside("save"):
            return await self.store.save(room, snapshot, messages, now)

    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        async with self._beside("page"):
            return await self.store.page(room, query, limit)

    async def tips(self, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
        async with self._beside("tips"):
            return await self.store.tips(rooms)

    async def rooms(self, after: RoomId | None, limit: int) -> Sequence[RoomId]:
        return await self.store.rooms(after, limit)

    async def follow(self, room: RoomId) -> None:
        async with self._beside("follow"):
            await self.store.follow(room)

    async def unfollow(self, room: RoomId) -> None:
        async with self._beside("unfollow"):
            await self.store.unfollow(room)

    async def signal(self, room: RoomId, payload: bytes) -> None:
        async with self._beside("signal"):
            await self.store.signal(room, payload)

    async def renew(self, node: NodeId, ttl_ms: int) -> bool:
        async with self._beside("renew"):
            return await self.store.renew(node, ttl_ms)

    async def lapsed(self, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        async with self._beside("lapsed"):
            return await self.store.lapsed(nodes)

    async def secret(self) -> bytes:
        return await self.store.secret()

    @asynccontextmanager
    async def feed(self) -> AsyncGenerator[AsyncIterator[StoreFeed]]:
        self.feeds += 1
        await self._troubles("feed")
        yield self._items()

    async def _items(self) -> AsyncIterator[StoreFeed]:
        for item in self.feed_brings:
            yield item
        await self.feed_ends.wait()

    @asynccontextmanager
    async def _beside(self, name: str) -> AsyncGenerator[None]:
        self.calls.append(name)
        async with self._call("beside" if name not in ("renew", "lapsed") else "lease"):
            await self._troubles(name)
            yield

    @asynccontextmanager
    async def _call(self, kind: str) -> AsyncGenerator[None]:
        self.running[kind] += 1
        self.most[kind] = max(self.most[kind], self.running[kind])
        try:
            yield
        finally:
            self.running[kind] -= 1

    async def _troubles(self, name: str) -> None:
        if name in self.gates:
            await self.gates[name].wait()
        if name in self.trouble:
            raise self.trouble[name]
