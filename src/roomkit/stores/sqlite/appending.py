"""One transaction: appends judged in memory, then written together.

Nothing is asked of the file but what a repeated nonce or key was answered, and the heads of rooms
not written to for long. Keys are first taken for new; only if the file turns out to know one is the
transaction undone and done again, with each key looked up.
"""

from __future__ import annotations

import sqlite3
from secrets import token_hex

from roomkit.core.effects import Append
from roomkit.core.storage import Behind, Entry, Known, Outcome, Stored
from roomkit.ids import NodeId, Position, RoomId, chain_link
from roomkit.limits import Limits
from roomkit.stores.memory_room import NONCE_MS
from roomkit.stores.sqlite.heads import Head, Heads
from roomkit.stores.sqlite.rows import ENTRY, Insert, decode_answer, encode_answer, entries_of

__all__ = ["KeyKnown", "Transaction"]

_BEHIND = Behind()

_ROOMS = Insert("INSERT INTO room (id, name)", 2)
_ENTRIES = Insert("INSERT INTO entry", 7)
_NONCES = Insert("INSERT OR REPLACE INTO nonce", 7)
_NEW_KEYS = Insert("INSERT OR IGNORE INTO key", 5)
_KEYS = Insert("INSERT OR REPLACE INTO key", 5)


class KeyKnown(Exception):
    """A key that was taken for new is in the file: undo, and do it again with keys looked up."""


class Transaction:
    """What a batch of calls writes; committed whole, or nothing of it.

    Args:
        lookup: look each key up. Without it a known key raises `KeyKnown`.

    Attributes:
        newest: the latest `now` of a call, milliseconds since the epoch; 0 if no call said any.
        committing: True once the commit has begun, after which nobody can be sure.
    """

    def __init__(
        self, connection: sqlite3.Connection, heads: Heads, limits: Limits, *, lookup: bool
    ) -> None:
        self.connection = connection
        self.newest = 0
        self.committing = False
        self.written = 0
        self._heads = heads
        self._limits = limits
        self._lookup = lookup
        self._drafts: dict[RoomId, Head] = {}
        self._last_room = heads.last_room
        self._rooms: list[tuple[int, RoomId]] = []
        self._entries: list[tuple[int, int, int, str, str, bytes, int]] = []
        self._nonces: dict[
            tuple[int, NodeId], tuple[int, str, int, int, int, int, bytes | None]
        ] = {}
        self._keys: dict[tuple[int, str], Known] = {}
        self._fences: dict[int, str] = {}

    # -------------------------------------------------------------------------------- judging

    def append(self, append: Append, now: int) -> Outcome:
        """Judge an append as the contract orders the checks, and take down what it adds."""
        self.newest = max(self.newest, now)
        head = self._drafts.get(append.room)
        if head is None:
            head = self._drafts[append.room] = self._heads.draft(append.room)
        node, counter = append.nonce.node, append.nonce.counter
        last = head.nonces.get(node)
        if last is not None and now - last[1] < NONCE_MS:
            if counter == last[0]:
                return self._repeat(head, node)
            if counter < last[0]:
                return _BEHIND
        if append.fence != head.fence or not self._holds(head, append.after):
            return _BEHIND
        before = head.seq
        outcome = self._store(head, append, now)
        known = head.seq - before < len(outcome.items)
        answer = encode_answer(outcome) if known else None
        if last is None and head.nonces:
            self._forget_nonces(head, now)
        head.nonces[node] = (counter, now)
        self._nonces[head.room, node] = (
            head.room, node, counter, now, before + 1, head.seq, answer
        )  # fmt: skip
        return outcome

    def _store(self, head: Head, append: Append, now: int) -> Stored:
        if not head.room:
            self._last_room += 1
            head.room, head.at, head.link = self._last_room, now, token_hex(8)
            self._rooms.append((head.room, append.room))
        room, seq, at, prev = head.room, head.seq, max(now, head.at), head.link
        expired = now - self._limits.idempotency_ms
        control = len(append.facts) - 1 if append.control else -1
        items: list[Entry | Known] = []
        for index, item in enumerate(append.facts):
            key, fact = item.key, item.fact
            if key is not None:
                known = self._known(room, key)
                if known is not None and known.at > expired:
                    items.append(known)
                    continue
            seq += 1
            link = chain_link(prev, at, fact)
            items.append(Entry(seq, at, prev, link, fact, index == control))
            self._entries.append((room, seq, at, prev, link, fact, index == control))
            prev = link
            if key is not None:
                self._keys[room, key] = Known(seq, link, at)
            if index == control:
                head.fence = self._fences[room] = link
        if seq > head.seq:
            head.seq, head.at, head.link = seq, at, prev
        return Stored(tuple(items))

    def _holds(self, head: Head, position: Position | None) -> bool:
        """Tell whether the log has an entry; there is none to miss if none is named."""
        if position is None or (head.seq and position == Position(head.seq, head.link)):
            return True
        drafts = [entry for entry in self._entries if entry[:2] == (head.room, position.seq)]
        if drafts:
            return drafts[0][4] == position.link
        row = self.connection.execute(
            "SELECT link FROM entry WHERE room = ? AND seq = ?", (head.room, position.seq)
        ).fetchone()
        return row is not None and row[0] == position.link

    def _known(self, room: int, key: str) -> Known | None:
        known = self._keys.get((room, key))
        if known is None and self._lookup:
            row = self.connection.execute(
                "SELECT seq, link, at FROM key WHERE room = ? AND key = ?", (room, key)
            ).fetchone()
            known = Known(*row) if row is not None else None
        return known

    def _repeat(self, head: Head, node: NodeId) -> Stored:
        """Return what the node's last append was answered."""
        self.flush()
        execute = self.connection.execute
        first, last, answer = execute(
            "SELECT first, last, answer FROM nonce WHERE room = ? AND node = ?", (head.room, node)
        ).fetchone()
        if answer is not None:
            return decode_answer(answer)
        return Stored(
            entries_of(
                execute(
                    f"SELECT {ENTRY} FROM entry WHERE room = ? AND seq BETWEEN ? AND ?",
                    (head.room, first, last),
                )
            )
        )

    def _forget_nonces(self, head: Head, now: int) -> None:
        old = [node for node, last in head.nonces.items() if now - last[1] >= NONCE_MS]
        if not old:
            return
        self.flush()
        self.begin()
        for node in old:
            del head.nonces[node]
            self.connection.execute(
                "DELETE FROM nonce WHERE room = ? AND node = ?", (head.room, node)
            )

    # -------------------------------------------------------------------------------- writing

    def begin(self) -> None:
        """Begin to write, unless it has begun."""
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN IMMEDIATE")

    def flush(self) -> None:
        """Write what was taken down, so that it can be read; it is not committed yet.

        Raises:
            KeyKnown: see the class.
        """
        if not (self._entries or self._nonces):
            return
        self.begin()
        connection = self.connection
        if self._rooms:
            _ROOMS(connection, self._rooms)
            self._rooms = []
        _ENTRIES(connection, self._entries)
        self.written += len(self._entries)
        self._entries = []
        _NONCES(connection, self._nonces.values())
        self._nonces = {}
        if self._keys:
            rows = [
                (room, key, known.seq, known.link, known.at)
                for (room, key), known in self._keys.items()
            ]
            self._keys = {}
            if self._lookup:
                _KEYS(connection, rows)
            elif _NEW_KEYS(connection, rows) < len(rows):
                raise KeyKnown
        for room, fence in self._fences.items():
            connection.execute("UPDATE room SET fence = ? WHERE id = ?", (fence, room))
        self._fences = {}

    def commit(self) -> None:
        """Make all of it last; then the heads are those of the file."""
        self.flush()
        if self.connection.in_transaction:
            self.committing = True
            self.connection.execute("COMMIT")
        self._heads.keep(self._drafts, self._last_room)
