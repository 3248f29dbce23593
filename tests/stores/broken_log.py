"""Memory stores that break one law of appending each: seqs, links, nonces, fences, keys."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import ClassVar

from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import (
    Behind,
    Entry,
    Known,
    LogSlice,
    MessageRow,
    Nonce,
    Outcome,
    Snapshot,
    Stored,
)
from roomkit.ids import NodeId, RoomId, chain_link
from roomkit.limits import Limits
from roomkit.stores import MemoryStore
from roomkit.testing.store_laws.writing import MINUTE_MS


class Bent(MemoryStore):
    """A store whose appends are bent on the way in, or whose new entries on the way out."""

    saves = 0  # through this handle

    def bend(self, append: Append, now: int) -> Append:
        return append

    def bend_entry(self, entry: Entry, append: Append, now: int) -> Entry:
        return entry

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        answers: list[Outcome] = []
        for append in appends:
            (outcome,) = await super().append([self.bend(append, now)], now)
            if isinstance(outcome, Stored):
                items = [
                    self.bend_entry(item, append, now) if isinstance(item, Entry) else item
                    for item in outcome.items
                ]
                outcome = Stored(tuple(items))
            answers.append(outcome)
        return answers

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        self.saves += 1
        return await super().save(room, snapshot, messages, now)

    def fence(self, room: RoomId) -> str:
        kept = self._shared.rooms.get(room)
        return kept._fence if kept else ""


class SkipsASeq(Bent):
    def bend_entry(self, entry: Entry, append: Append, now: int) -> Entry:
        return replace(entry, seq=entry.seq + (entry.seq > 1))


class HashesTheFactAlone(Bent):
    def bend_entry(self, entry: Entry, append: Append, now: int) -> Entry:
        return replace(entry, link=chain_link("", entry.at, entry.fact))


class BeginsEveryLogAlike(Bent):
    def bend_entry(self, entry: Entry, append: Append, now: int) -> Entry:
        return replace(entry, prev="0" * 16) if entry.seq == 1 else entry


class TrustsTheClock(Bent):
    def bend_entry(self, entry: Entry, append: Append, now: int) -> Entry:
        return replace(entry, at=now)


class TakesFactsForText(Bent):
    def bend(self, append: Append, now: int) -> Append:
        facts = [
            FactItem(item.key, item.fact.decode(errors="replace").encode()) for item in append.facts
        ]
        return replace(append, facts=tuple(facts))


class MarksTheWholeAppend(Bent):
    def bend_entry(self, entry: Entry, append: Append, now: int) -> Entry:
        return replace(entry, control=append.control)


class AnswersBackwards(MemoryStore):
    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        return [*reversed(await super().append(appends, now))]


class DropsWhatIsLarge(Bent):
    def bend(self, append: Append, now: int) -> Append:
        return replace(append, facts=append.facts[:1_000])


class FoldsRoomNames(Bent):
    def bend(self, append: Append, now: int) -> Append:
        return replace(append, room=RoomId(append.room.casefold()))

    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        return await super().read(RoomId(room.casefold()), after, limit)


class LosesTheRace(MemoryStore):
    """Answers that it stored what another append, begun at the same time, overwrote."""

    def __init__(self, *, limits: Limits) -> None:
        super().__init__(limits=limits)
        self.running: list[object] = []

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        if self.running:
            return await MemoryStore().append(appends, now)
        self.running.append(appends)
        await checkpoint()
        self.running.clear()
        return await super().append(appends, now)


class RenamesNodes(Bent):
    """Whoever renames the node of a nonce has forgotten those before."""

    def node(self, nonce: Nonce, now: int) -> str:
        raise NotImplementedError

    def bend(self, append: Append, now: int) -> Append:
        node = NodeId(f"{append.nonce.node} {self.node(append.nonce, now)}")
        return replace(append, nonce=Nonce(node, append.nonce.counter))


class ForgetsNonces(RenamesNodes):
    appended: ClassVar = count()

    def node(self, nonce: Nonce, now: int) -> str:
        return str(next(self.appended))


class ForgetsNoncesWithTheLog(RenamesNodes):
    def node(self, nonce: Nonce, now: int) -> str:
        return str(self.saves)


class ForgetsNoncesInAnHour(RenamesNodes):
    def node(self, nonce: Nonce, now: int) -> str:
        return str(now // (60 * MINUTE_MS))


class TakesOlderNonces(RenamesNodes):
    def node(self, nonce: Nonce, now: int) -> str:
        return str(nonce.counter)


class CountsNodesTogether(Bent):
    def bend(self, append: Append, now: int) -> Append:
        return replace(append, nonce=Nonce(NodeId("all"), append.nonce.counter))


class CountsRoomsTogether(Bent):
    def __init__(self, *, limits: Limits) -> None:
        super().__init__(limits=limits)
        self.last: dict[NodeId, int] = {}

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        (append,) = appends
        if append.nonce.counter < self.last.get(append.nonce.node, 0):
            return [Behind()]
        self.last[append.nonce.node] = append.nonce.counter
        return await super().append(appends, now)


class RecordsRefusals(Bent):
    def __init__(self, *, limits: Limits) -> None:
        super().__init__(limits=limits)
        self.refused: dict[NodeId, int] = {}

    def bend(self, append: Append, now: int) -> Append:
        node, counter = append.nonce.node, append.nonce.counter
        if append.fence != self.fence(append.room):
            self.refused[node] = counter
        return replace(append, fence="old") if counter <= self.refused.get(node, 0) else append


class IgnoresTheFence(Bent):
    def bend(self, append: Append, now: int) -> Append:
        return replace(append, fence=self.fence(append.room))


class ForgetsWhatWasSeen(Bent):
    def bend(self, append: Append, now: int) -> Append:
        return replace(append, after=None)


class ChecksWhatWasSeenOnceACall(Bent):
    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        logs = [room._log for room in self._shared.rooms.values()]
        self.at_first = [entry.position for log in logs for entry in log]
        return await super().append(appends, now)

    def bend(self, append: Append, now: int) -> Append:
        missing = append.after is not None and append.after not in self.at_first
        return replace(append, fence="old") if missing else append


class NeverMovesTheFence(Bent):
    def bend(self, append: Append, now: int) -> Append:
        return replace(append, control=False)


class ChecksFencesOnceACall(Bent):
    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        self.at_first = {append.room: self.fence(append.room) for append in appends}
        return await super().append(appends, now)

    def bend(self, append: Append, now: int) -> Append:
        right = append.fence == self.at_first[append.room]
        return replace(append, fence=self.fence(append.room)) if right else append


class TakesAnyFirstFence(Bent):
    def bend(self, append: Append, now: int) -> Append:
        return append if self.fence(append.room) else replace(append, fence="")


class ForgetsTheFenceWithTheLog(Bent):
    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        kept = await super().save(room, snapshot, messages, now)
        if kept and self.fence(room) not in [entry.link for entry in self._shared.rooms[room]._log]:
            self._shared.rooms[room]._fence = ""
        return kept


class StoresWhatItRefuses(Bent):
    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        outcomes = await super().append(appends, now)
        for append, outcome in zip(appends, outcomes, strict=True):
            if isinstance(outcome, Behind):
                right = replace(append, fence=self.fence(append.room), facts=append.facts[:1])
                await super().append([right], now)
        return outcomes


class RenamesKeys(Bent):
    """Whoever renames a key has forgotten it."""

    def key(self, key: str, number: int, now: int) -> str:
        raise NotImplementedError

    def bend(self, append: Append, now: int) -> Append:
        facts = [
            FactItem(item.key and self.key(item.key, number, now), item.fact)
            for number, item in enumerate(append.facts)
        ]
        return replace(append, facts=tuple(facts))


class ForgetsKeys(RenamesKeys):
    used: ClassVar = count()

    def key(self, key: str, number: int, now: int) -> str:
        return f"{key} {next(self.used)}"


class ForgetsKeysWithTheLog(RenamesKeys):
    def key(self, key: str, number: int, now: int) -> str:
        return f"{key} {self.saves}"


class ForgetsKeysInAMinute(RenamesKeys):
    def key(self, key: str, number: int, now: int) -> str:
        return f"{key} {now // MINUTE_MS}"


class RecordsKeysAfterwards(Bent):
    """So that a key is not known yet when it comes a second time in its own append."""

    def bend(self, append: Append, now: int) -> Append:
        keys = [item.key for item in append.facts]
        facts = [
            FactItem(None if item.key in keys[:number] else item.key, item.fact)
            for number, item in enumerate(append.facts)
        ]
        return replace(append, facts=tuple(facts))


class LeavesOutKnownFacts(MemoryStore):
    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        return [
            Stored(tuple(item for item in outcome.items if isinstance(item, Entry)))
            if isinstance(outcome, Stored)
            else outcome
            for outcome in await super().append(appends, now)
        ]


class ChecksKeysBeforeTheFence(Bent):
    def bend(self, append: Append, now: int) -> Append:
        kept = self._shared.rooms.get(append.room)
        known = kept is not None and all(item.key in kept._keys for item in append.facts)
        return replace(append, fence=self.fence(append.room)) if known else append


class SharesKeysBetweenRooms(Bent):
    def __init__(self, *, limits: Limits) -> None:
        super().__init__(limits=limits)
        self.known: dict[str, Known] = {}

    def bend_entry(self, entry: Entry, append: Append, now: int) -> Entry:
        key = append.facts[0].key
        if key is None or self.known.setdefault(key, Known(1, entry.link, now)).link == entry.link:
            return entry
        return replace(entry, seq=0)


class NeverForgetsKeys(MemoryStore):
    def __init__(self, *, limits: Limits) -> None:
        super().__init__(limits=replace(limits, idempotency_ms=2**50))
