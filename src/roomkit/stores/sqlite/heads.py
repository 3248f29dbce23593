"""What the writer remembers of the rooms it wrote to last, so that an append asks the file nothing.

Only one thread writes, so what is remembered here is what the file holds. After trouble all of it
is forgotten, and read again.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Mapping

from roomkit.ids import NodeId, RoomId

__all__ = ["Head", "Heads"]

_ROOMS = 10_000  # about a kilobyte each


class Head:
    """Where the next entry of a room goes, and what an append to it must know.

    Attributes:
        room: its number in the file; 0 if it has none yet.
        nonces: by node, the last counter stored and when.
    """

    __slots__ = ("at", "fence", "link", "nonces", "room", "seq")

    def __init__(
        self,
        room: int = 0,
        seq: int = 0,
        at: int = 0,
        link: str = "",
        fence: str = "",
        nonces: dict[NodeId, tuple[int, int]] | None = None,
    ) -> None:
        self.room = room
        self.seq = seq
        self.at = at
        self.link = link
        self.fence = fence
        self.nonces = {} if nonces is None else nonces

    def copy(self) -> Head:
        return Head(self.room, self.seq, self.at, self.link, self.fence, self.nonces.copy())


class Heads:
    """The heads of the rooms last written to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._heads: OrderedDict[RoomId, Head] = OrderedDict()
        (self.last_room,) = connection.execute("SELECT coalesce(max(id), 0) FROM room").fetchone()

    def draft(self, name: RoomId) -> Head:
        """Return a head of its own for a transaction to change."""
        head = self._heads.get(name)
        return self._read(name) if head is None else head.copy()

    def keep(self, drafts: Mapping[RoomId, Head], last_room: int) -> None:
        """Remember what a transaction that was committed has made of rooms."""
        self.last_room = last_room
        heads = self._heads
        for name, head in drafts.items():
            if head.room:
                heads[name] = head
                heads.move_to_end(name)
        while len(heads) > _ROOMS:
            heads.popitem(last=False)

    def forget(self, name: RoomId) -> None:
        """The room is no longer in the file."""
        self._heads.pop(name, None)

    def _read(self, name: RoomId) -> Head:
        execute = self._connection.execute
        row = execute("SELECT id, fence FROM room WHERE name = ?", (name,)).fetchone()
        if row is None:
            return Head()
        room, fence = row
        seq, at, link = execute(
            "SELECT seq, at, link FROM entry WHERE room = ? ORDER BY seq DESC LIMIT 1", (room,)
        ).fetchone()
        nonces = execute("SELECT node, counter, at FROM nonce WHERE room = ?", (room,))
        return Head(
            room, seq, at, link, fence, {NodeId(node): (number, at) for node, number, at in nonces}
        )
