"""Saving a snapshot: the archive of messages, and the log trimmed behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from roomkit.core.storage import MessageRow, Snapshot, Stored
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.stores.sqlite.appending import Transaction
from roomkit.stores.sqlite.rows import ENTRY, encode_answer, entries_of

__all__ = ["Retention", "retire", "save"]

_RETIRED = 1_000  # messages removed at once from one room: no transaction makes a long pause

_ARCHIVE = """
    INSERT INTO message (room, seq, at, body)
    VALUES (?, ?, coalesce((SELECT at FROM entry WHERE room = ? AND seq = ?), ?), ?)
    ON CONFLICT DO UPDATE SET body = excluded.body"""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How much is kept.

    Attributes:
        limits: of these `idempotency_ms`, `log_entries` and `log_age_ms` are used.
        messages: how many archived messages a room keeps, the newest; None for all.
        messages_age_ms: how long an archived message is kept; None for ever.
    """

    limits: Limits
    messages: int | None
    messages_age_ms: int | None


def save(
    work: Transaction,
    name: RoomId,
    snapshot: Snapshot,
    messages: Sequence[MessageRow],
    now: int,
    retention: Retention,
) -> bool:
    """Keep the snapshot, archive the messages and trim the log, or refuse and do nothing."""
    work.flush()
    work.newest = max(work.newest, now)
    execute, position = work.connection.execute, snapshot.position
    row = execute(
        "SELECT id, snapshot_seq, snapshot_format, removed FROM room WHERE name = ?", (name,)
    ).fetchone()
    if row is None:
        return False
    room, kept_seq, kept_format, removed = row
    link = execute(
        "SELECT link FROM entry WHERE room = ? AND seq = ?", (room, position.seq)
    ).fetchone()
    if link != (position.link,) or position.seq <= kept_seq:
        return False
    if kept_format is not None and kept_format > snapshot.format:
        return False
    work.begin()
    floor = _oldest(work.connection, room, kept_seq) if removed else 0
    given = {row.seq: row.body for row in messages if floor <= row.seq <= position.seq}
    for seq, body in given.items():
        execute(_ARCHIVE, (room, seq, room, seq, now, body))
    execute(
        "UPDATE room SET snapshot_seq = ?, snapshot_link = ?, snapshot_format = ?, snapshot = ? "
        "WHERE id = ?",
        (position.seq, position.link, snapshot.format, snapshot.state, room),
    )
    retire(work.connection, room, now, retention)
    _trim(work.connection, room, position.seq, now, retention.limits)
    return True


def _oldest(connection: sqlite3.Connection, room: int, kept_seq: int) -> int:
    """Return the seq of the oldest message kept: one removed does not come back when edited."""
    row = connection.execute(
        "SELECT seq FROM message WHERE room = ? ORDER BY seq LIMIT 1", (room,)
    ).fetchone()
    return row[0] if row is not None else kept_seq + 1


def retire(connection: sqlite3.Connection, room: int, now: int, retention: Retention) -> None:
    """Remove the oldest messages beyond what is kept, not all at once if they are very many."""
    removed = 0
    if retention.messages is not None:
        surplus = connection.execute(
            "SELECT seq FROM message WHERE room = ? ORDER BY seq DESC LIMIT 1 OFFSET ?",
            (room, retention.messages),
        ).fetchone()
        if surplus is not None:
            removed += _remove(connection, room, "seq <= ?", surplus[0])
    if retention.messages_age_ms is not None:
        removed += _remove(connection, room, "at < ?", now - retention.messages_age_ms)
    if removed:
        connection.execute("UPDATE room SET removed = 1 WHERE id = ?", (room,))


def _remove(connection: sqlite3.Connection, room: int, condition: str, value: int) -> int:
    """Remove those of the oldest messages that meet a condition; return how many."""
    return connection.execute(
        f"DELETE FROM message WHERE room = ? AND seq IN (SELECT seq FROM (SELECT seq, at "
        f"FROM message WHERE room = ? ORDER BY seq LIMIT {_RETIRED}) WHERE {condition})",
        (room, room, value),
    ).rowcount


def _trim(
    connection: sqlite3.Connection, room: int, snapshot_seq: int, now: int, limits: Limits
) -> None:
    """Trim the log by count and age, never past the snapshot, whose own entry stays."""
    execute = connection.execute
    (tip,) = execute("SELECT max(seq) FROM entry WHERE room = ?", (room,)).fetchone()
    young = execute(
        "SELECT seq FROM entry WHERE room = ? AND at >= ? ORDER BY seq LIMIT 1",
        (room, now - limits.log_age_ms),
    ).fetchone()
    by_age = young[0] if young is not None else tip + 1
    first = min(max(tip + 1 - limits.log_entries, by_age), snapshot_seq)
    for node, low, high in execute(
        "SELECT node, first, last FROM nonce WHERE room = ? AND first < ? AND answer IS NULL",
        (room, first),
    ).fetchall():
        answer = Stored(
            entries_of(
                execute(
                    f"SELECT {ENTRY} FROM entry WHERE room = ? AND seq BETWEEN ? AND ?",
                    (room, low, high),
                )
            )
        )
        execute(
            "UPDATE nonce SET answer = ? WHERE room = ? AND node = ?",
            (encode_answer(answer), room, node),
        )
    execute("DELETE FROM entry WHERE room = ? AND seq < ?", (room, first))
