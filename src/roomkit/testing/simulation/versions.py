"""A node of the next version, as far as others can see: what it keeps and tells has more in it.

Its snapshots are of a newer format, its facts have a field nobody here knows, and it writes facts
and tells signals of kinds nobody here knows. It is the same engine, with another handle.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, cast

import msgspec

from roomkit.core.effects import Append, FactItem, SendToNodes
from roomkit.core.room import FORMAT
from roomkit.core.signals import TypingSignal, encode
from roomkit.core.storage import MessageRow, Nonce, Outcome, RoomRecord, Snapshot
from roomkit.ids import NodeId, RoomId, UserId
from roomkit.stores import Store
from roomkit.testing.world import Node

__all__ = ["NewerHandle", "NewerVersion"]

_MORE = "not known before"


class NewerHandle:
    """A store as a node of the next version uses it: everything else goes to the real handle."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        newer = [
            msgspec.structs.replace(
                append, facts=tuple(FactItem(one.key, _more(one.fact)) for one in append.facts)
            )
            for append in appends
        ]
        return await self._store.append(newer, now)

    async def load(self, room: RoomId) -> RoomRecord:
        record = await self._store.load(room)
        kept = record.snapshot
        if kept is None or kept.format <= FORMAT:
            return record
        return msgspec.structs.replace(
            record, snapshot=msgspec.structs.replace(kept, format=FORMAT)
        )

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        newer = Snapshot(snapshot.position, FORMAT + 1, _more(snapshot.state))
        return await self._store.save(room, newer, messages, now)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class NewerVersion:
    """Which nodes are of the next version, and what only such a node says."""

    def __init__(self) -> None:
        self._nodes: set[str] = set()
        self._counter = count(1)

    def make(self, node: Node) -> None:
        """Have a node be of the next version from the start."""
        self._nodes.add(node.name)
        node.store = cast("Store", NewerHandle(node.store))

    def is_newer(self, node: Node) -> bool:
        """Tell whether it is."""
        return node.name in self._nodes

    def speak(self, node: Node, room: RoomId, fence: str, pick: int) -> None:
        """Write a fact and tell signals, all unknown here, from beside a node.

        Args:
            node: not told of them: to it they are lost hints.
            fence: the room's.
            pick: one in three of these facts is a control fact.
        """
        nonce = Nonce(NodeId("next"), next(self._counter))
        fact = msgspec.msgpack.encode({"type": "reacted", "to": pick, "with": "+"})
        node.append(Append(room, nonce, fence, (FactItem(None, fact),), pick % 3 == 0))
        nobody = TypingSignal(UserId("u-nobody"), "nobody", active=False, seq=0)
        reading = msgspec.msgpack.encode({"type": "reading", "up_to": pick})
        for payload in (reading, _more(encode(nobody))):
            node.call(SendToNodes(room, payload))


def _more(packed: bytes) -> bytes:
    """Return the same with one field more."""
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(packed), "later": _MORE})
