"""What the store keeps: a chained log, trimmed below its snapshot, whose format never goes back.

Beyond the laws: rule 12 of snapshots, and that what is done twice, or by two nodes at once, is done
once.
"""

from __future__ import annotations

from typing import Any

import msgspec

from roomkit.core.effects import Append
from roomkit.core.inputs import Input, RoomLoaded, RoomSaved
from roomkit.core.room import FORMAT
from roomkit.core.storage import Outcome, Stored
from roomkit.ids import RoomId
from roomkit.testing.laws import LawBroken
from roomkit.testing.laws.truth import Truth
from roomkit.testing.model import ModelRoom
from roomkit.testing.observer import Observer
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.simulation.versions import NewerHandle
from roomkit.testing.world import Node, World, run_now

__all__ = ["Kept"]


class Kept(Observer):
    """Looks into the store whenever a snapshot was saved, and at each node's loss in the log."""

    stepping_kinds = frozenset({RoomSaved, RoomLoaded})

    def __init__(self, world: World, truth: Truth, tally: Tally) -> None:
        self._store = world.handle()
        self._truth = truth
        self._tally = tally
        self._formats: dict[RoomId, int] = {}
        self._gone: dict[RoomId, set[str]] = {}

    def stepping(self, node: Node, input: Input) -> None:
        if type(input) is RoomSaved:
            self._look(node, input)
        elif type(input) is RoomLoaded and input.record is not None:
            kept = input.record.snapshot
            if kept is not None and kept.format > FORMAT:
                self._tally.fault("unreadable")

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        """What was stored is dense and chained; and no node is lost twice."""
        if type(outcome) is not Stored:
            return
        news, log = self._truth.news, self._truth.logs[append.room]
        for index, told in enumerate(news, len(log) - len(news)):
            entry = told.entry
            before = log[index - 1].room if index else ModelRoom(append.room)
            if entry.seq != before.seq + 1 or (before.seq and entry.prev != before.link):
                raise LawBroken(5, f"{entry} was stored after {before.seq}, {before.link}")
            fact: dict[str, Any] = msgspec.msgpack.decode(entry.fact)
            gone = self._gone.setdefault(append.room, set())
            if fact["type"] == "entered":
                gone.discard(fact["node"])
            elif fact["type"] == "node_lost":
                if fact["node"] in gone:
                    raise LawBroken(9, f"{fact['node']} is lost a second time, at {entry.seq}")
                gone.add(fact["node"])

    def fail_over(self) -> None:
        """Another log, with other snapshots, goes on."""
        self._formats.clear()
        self._gone.clear()

    def _look(self, node: Node, saved: RoomSaved) -> None:
        room = saved.room
        record = run_now(self._store.load(room))
        kept = record.snapshot
        if kept is None:
            return
        if kept.format < self._formats.get(room, 0):
            raise LawBroken(5, f"{node.name} saved {room!r} over a newer format: {kept.format}")
        if kept.format > FORMAT and kept.format != self._formats.get(room):
            self._tally.fault("newer format")
        refused = not saved.kept and saved.position.seq > kept.position.seq
        if refused and kept.format > FORMAT and not isinstance(node.store, NewerHandle):
            self._tally.fault("older format")
        self._formats[room] = kept.format
        if not record.entries:
            return
        log = run_now(self._store.read(room, 0, 1))
        if log.first_seq > kept.position.seq:
            raise LawBroken(
                5, f"{room!r} was trimmed up to {log.first_seq}, past its {kept.position}"
            )
        if record.entries[0].prev != kept.position.link:
            raise LawBroken(5, f"{room!r} has {record.entries[0]} after its {kept.position}")
