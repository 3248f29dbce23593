"""What goes by itself: keys nobody can send again, rooms nobody comes back to, messages too old.

The writer does a little of it between two transactions, about once a second, while there are any.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Container

from roomkit.ids import RoomId
from roomkit.stores.memory_room import NONCE_MS
from roomkit.stores.sqlite.heads import Heads
from roomkit.stores.sqlite.saving import Retention, retire

__all__ = ["Sweeper"]

_ROOMS = 100  # looked at in one go
_ROWS = 2_000  # removed in one go, of each table


class Sweeper:
    """Goes around all rooms, and begins again.

    Args:
        followed: names of rooms that must stay.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        heads: Heads,
        retention: Retention,
        followed: Container[RoomId],
    ) -> None:
        limits = retention.limits
        self._connection = connection
        self._heads = heads
        self._retention = retention
        self._followed = followed
        self._keep_ms = max(
            limits.log_age_ms, limits.idempotency_ms, NONCE_MS, retention.messages_age_ms or 0
        )
        self._after = 0
        self._after_key = (0, "")

    def sweep(self, now: int, keys: int) -> None:
        """Remove what is due, in one transaction.

        Args:
            now: milliseconds since the epoch, as the hub says.
            keys: how many keys were added since the last time.
        """
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        self._forget_keys(now - self._retention.limits.idempotency_ms, 2 * keys + _ROWS)
        dropped = self._look_at_rooms(now)
        self._clear()
        execute("COMMIT")
        for name in dropped:
            self._heads.forget(name)

    def _forget_keys(self, expired: int, most: int) -> None:
        """Look at the next keys. An index by age would cost every append more than this."""
        execute = self._connection.execute
        after = self._after_key
        upto = execute(
            "SELECT room, key FROM key WHERE (room, key) > (?, ?) ORDER BY room, key "
            "LIMIT 1 OFFSET ?",
            (*after, most),
        ).fetchone()
        self._after_key = upto or (0, "")
        execute(
            "DELETE FROM key WHERE (room, key) > (?, ?) AND (room, key) <= (?, ?) AND at <= ?",
            (*after, *(upto or (sys.maxsize, "")), expired),
        )

    def _look_at_rooms(self, now: int) -> list[RoomId]:
        execute = self._connection.execute
        rows = execute(
            "SELECT id, name FROM room WHERE id > ? AND name IS NOT NULL ORDER BY id LIMIT ?",
            (self._after, _ROOMS),
        ).fetchall()
        self._after = rows[-1][0] if len(rows) == _ROOMS else 0
        dropped: list[RoomId] = []
        for room, name in rows:
            if name not in self._followed and self._is_over(room, now):
                execute("UPDATE room SET name = NULL, snapshot = NULL WHERE id = ?", (room,))
                dropped.append(RoomId(name))
            elif self._retention.messages_age_ms is not None:
                retire(self._connection, room, now, self._retention)
        return dropped

    def _is_over(self, room: int, now: int) -> bool:
        """Tell whether a room may go: it is old, and nothing in it was to be kept for ever."""
        execute = self._connection.execute
        seq, at = execute(
            "SELECT seq, at FROM entry WHERE room = ? ORDER BY seq DESC LIMIT 1", (room,)
        ).fetchone()
        if now - at <= self._keep_ms:
            return False
        if self._retention.messages_age_ms is not None:
            return True
        (kept,) = execute(
            "SELECT fence != '' OR snapshot_seq < ? OR removed "
            "OR EXISTS (SELECT 1 FROM message WHERE room = id) FROM room WHERE id = ?",
            (seq, room),
        ).fetchone()
        return not kept

    def _clear(self) -> None:
        """Remove what is left of one room that was let go."""
        execute = self._connection.execute
        row = execute("SELECT id FROM room WHERE name IS NULL LIMIT 1").fetchone()
        if row is None:
            return
        (room,) = row
        for table in ("message", "entry", "nonce"):
            column = "node" if table == "nonce" else "seq"
            removed = execute(
                f"DELETE FROM {table} WHERE room = ? AND {column} IN "
                f"(SELECT {column} FROM {table} WHERE room = ? LIMIT {_ROWS})",
                (room, room),
            ).rowcount
            if removed == _ROWS:
                return
        execute("DELETE FROM room WHERE id = ?", (room,))
