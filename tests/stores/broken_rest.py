"""Memory stores that break one law each of reading, saving, paging, feeds, leases, the secret."""

from __future__ import annotations

from bisect import insort
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from secrets import token_bytes
from typing import ClassVar, Self

import anyio
from msgspec.structs import replace

from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import (
    After,
    Around,
    Before,
    Entry,
    Hint,
    LogSlice,
    MessagePage,
    MessageRow,
    Nonce,
    Outcome,
    PageQuery,
    RoomRecord,
    Snapshot,
    StoreFeed,
    StoreSignal,
    Tip,
)
from roomkit.ids import NodeId, Position, RoomId
from roomkit.limits import Limits
from roomkit.stores import MemoryStore
from roomkit.stores.memory_room import MemoryRoom


class ReadsTheSeqItself(MemoryStore):
    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        found = await super().read(room, after, limit)
        again = await super().read(room, after - 1, limit)
        return replace(found, entries=again.entries)


class HidesWhatItTrimmed(MemoryStore):
    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        found = await super().read(room, after, limit)
        return replace(found, first_seq=min(1, found.first_seq))


class ReadsOnlyItsOwn(MemoryStore):
    writers: ClassVar[dict[str, object]] = {}

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        self.writers.update(dict.fromkeys((append.room for append in appends), self))
        return await super().append(appends, now)

    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        return await super().read(room, after, limit if self.writers.get(room) is self else 0)


class ForgetsWhenClosed(MemoryStore):
    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        yield
        self._shared.rooms.clear()


class CountsEmptyRoomsFromOne(MemoryStore):
    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        return replace(await super().read(room, after, limit), first_seq=1)


class MakesRoomsWhenFollowed(MemoryStore):
    async def follow(self, room: RoomId) -> None:
        insort(self._shared.names, room)
        await super().follow(room)


class TipsOfAnyRoom(MemoryStore):
    async def tips(self, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
        return dict.fromkeys(rooms, Tip(0, "", 0)) | dict(await super().tips(rooms))


class ListsRoomsByCase(MemoryStore):
    async def rooms(self, after: RoomId | None, limit: int) -> Sequence[RoomId]:
        names = sorted(self._shared.rooms, key=str.casefold)
        return names[names.index(after) + 1 if after in names else 0 :][:limit]


class LoadsTheSnapshotsEntryToo(MemoryStore):
    async def load(self, room: RoomId) -> RoomRecord:
        record = await super().load(room)
        after = record.snapshot.position.seq - 1 if record.snapshot else 0
        return replace(record, entries=(await super().read(room, after, 1_000)).entries)


class LoadsTheOldestMessages(MemoryStore):
    async def load(self, room: RoomId) -> RoomRecord:
        messages = (await super().page(room, After(0), self._shared.limits.history_window)).rows
        return replace(await super().load(room), messages=messages)


class SavesOtherwise(MemoryStore):
    """A store that prepares its room for being saved, in a way it should not."""

    def prepare(self, room: MemoryRoom, snapshot: Snapshot) -> Snapshot:
        return snapshot

    def select(self, room: MemoryRoom, given: Sequence[MessageRow]) -> Sequence[MessageRow]:
        return given

    def finish(self, room: MemoryRoom, log: list[Entry]) -> None:
        """`log` is what was kept before."""

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        kept = self._shared.rooms.get(room)
        if kept is None:
            return False
        log = list(kept._log)
        chosen = self.select(kept, messages)
        done = await super().save(room, self.prepare(kept, snapshot), chosen, now)
        self.finish(kept, log)
        return done


class TrustsThePosition(SavesOtherwise):
    def prepare(self, room: MemoryRoom, snapshot: Snapshot) -> Snapshot:
        entry = room._entry(snapshot.position.seq) or room._log[-1]
        return replace(snapshot, position=Position(entry.seq, entry.link))


class SavesOverNewerSnapshots(SavesOtherwise):
    def prepare(self, room: MemoryRoom, snapshot: Snapshot) -> Snapshot:
        room._snapshot = None
        return snapshot


class SavesOverNewerFormats(SavesOtherwise):
    def prepare(self, room: MemoryRoom, snapshot: Snapshot) -> Snapshot:
        room._snapshot = room._snapshot and replace(room._snapshot, format=0)
        return snapshot


class TrimsBeforeItRefuses(SavesOtherwise):
    def prepare(self, room: MemoryRoom, snapshot: Snapshot) -> Snapshot:
        del room._log[: -self._shared.limits.log_entries]
        return snapshot


class NeverReplacesMessages(SavesOtherwise):
    """Messages once given appear when the snapshot has reached them, whatever the save says."""

    def __init__(self, *, limits: Limits) -> None:
        super().__init__(limits=limits)
        self.given: dict[int, MessageRow] = {}

    def select(self, room: MemoryRoom, given: Sequence[MessageRow]) -> Sequence[MessageRow]:
        self.given = {row.seq: row for row in given} | self.given
        return [*self.given.values()]


class IgnoresOlderMessages(SavesOtherwise):
    def select(self, room: MemoryRoom, given: Sequence[MessageRow]) -> Sequence[MessageRow]:
        return [row for row in given if row.seq > room._snapshot_seq()]


class NeverTrims(SavesOtherwise):
    def finish(self, room: MemoryRoom, log: list[Entry]) -> None:
        room._log[:] = log


class TrimsPastTheSnapshot(SavesOtherwise):
    def finish(self, room: MemoryRoom, log: list[Entry]) -> None:
        room._log[:] = log[-self._shared.limits.log_entries :]


class TrimsByCountAlone(MemoryStore):
    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        return await super().save(room, snapshot, messages, 0)


class TrimsTheSnapshotsEntry(MemoryStore):
    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        found = await super().read(room, after, limit)
        return replace(found, at=None) if after == found.tip.snapshot_seq else found


class PagesOneFurther(MemoryStore):
    """Every page is of the seq beside the one asked about."""

    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        beside: PageQuery
        if isinstance(query, After):
            beside = After(query.seq - 1)
        else:
            beside = (Before if isinstance(query, Before) else Around)(query.seq + 1)
        return await super().page(room, beside, limit)


class PagesPastTheSnapshot(NeverReplacesMessages):
    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        found = await super().page(room, query, limit)
        beyond = [row for seq, row in sorted(self.given.items()) if seq > found.snapshot_seq]
        return replace(found, rows=(*found.rows, *beyond))


class HidesOlderMessages(MemoryStore):
    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        return replace(await super().page(room, query, limit), has_before=False)


class TellsNobody(MemoryStore):
    def _tell(self, room: RoomId, item: StoreFeed) -> None:
        pass


class InventsEntries(MemoryStore):
    def _tell(self, room: RoomId, item: StoreFeed) -> None:
        super()._tell(room, Hint(room, (Entry(7, 7, "0" * 16, "0" * 16, b"never appended"),)))


class TellsItselfToo(MemoryStore):
    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        for append in appends:
            if self._feed:
                self._feed.put(Hint(append.room, ()))
        return await super().append(appends, now)

    async def signal(self, room: RoomId, payload: bytes) -> None:
        if self._feed:
            self._feed.put(StoreSignal(room, payload))
        await super().signal(room, payload)


class NeverUnfollows(MemoryStore):
    async def unfollow(self, room: RoomId) -> None:
        pass


class FollowsEverything(MemoryStore):
    async def follow(self, room: RoomId) -> None:
        for name in ("lobby", "attic", "cellar"):
            await super().follow(RoomId(name))


class LogsSignals(MemoryStore):
    async def signal(self, room: RoomId, payload: bytes) -> None:
        nonce = Nonce(NodeId("signals"), len(self._shared.rooms))
        await self.append([Append(room, nonce, "", (FactItem(None, payload),), False)], 0)
        await super().signal(room, payload)


class CutsSignals(MemoryStore):
    async def signal(self, room: RoomId, payload: bytes) -> None:
        await super().signal(room, payload[:1_024])


class WaitsForReaders(MemoryStore):
    sent = 0

    async def signal(self, room: RoomId, payload: bytes) -> None:
        self.sent += 1
        if self.sent > 100:
            await anyio.sleep_forever()
        await super().signal(room, payload)


class BelievesInEveryNode(MemoryStore):
    async def lapsed(self, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        return []


class LeasesForEver(MemoryStore):
    async def renew(self, node: NodeId, ttl_ms: int) -> bool:
        return await super().renew(node, ttl_ms * 1_000)


class NeverShortensALease(MemoryStore):
    async def renew(self, node: NodeId, ttl_ms: int) -> bool:
        held = self._shared.leases.get(node, 0.0) - self._shared.clock()
        return await super().renew(node, max(ttl_ms, int(held * 1_000)))


class HasASecretPerHandle(MemoryStore):
    def another(self) -> Self:
        other = super().another()
        other.own = token_bytes(32)
        return other

    own = b""

    async def secret(self) -> bytes:
        return self.own


class HasAWellKnownSecret(MemoryStore):
    async def secret(self) -> bytes:
        return bytes(range(32))


class ChoosesLanesInTurn(MemoryStore):
    asked: ClassVar = count()

    def lane(self, room: RoomId) -> int:
        return next(self.asked) % 7


class DoesNotSayWhatAnAckMeans(MemoryStore):
    @property
    def durability(self) -> str:
        return ""
