"""What readers ask of the file, each answer from one moment of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

from roomkit.core.storage import (
    After,
    LogSlice,
    MessagePage,
    MessageRow,
    PageQuery,
    RoomRecord,
    Snapshot,
    Tip,
)
from roomkit.ids import NodeId, Position, RoomId
from roomkit.stores.paging import fitting, wanted
from roomkit.stores.sqlite.rows import ENTRY, entries_of

__all__ = ["lapsed", "load", "page", "read", "rooms", "tips"]

_TIP = """
    SELECT r.id, e.seq, e.link, r.snapshot_seq FROM room AS r, entry AS e
    WHERE r.name = ? AND e.room = r.id AND e.seq = (SELECT max(seq) FROM entry WHERE room = r.id)"""


@contextmanager
def _moment(connection: sqlite3.Connection) -> Generator[Callable[..., sqlite3.Cursor]]:
    """Several statements that all see the file as it is now."""
    connection.execute("BEGIN")
    try:
        yield connection.execute
    finally:
        connection.execute("ROLLBACK")


def read(connection: sqlite3.Connection, room: RoomId, after: int, limit: int) -> LogSlice:
    with _moment(connection) as execute:
        row = execute(_TIP, (room,)).fetchone()
        if row is None:
            return LogSlice(None, (), Tip(0, "", 0), 0)
        number, *tip = row
        (first,) = execute("SELECT min(seq) FROM entry WHERE room = ?", (number,)).fetchone()
        entries = entries_of(
            execute(
                f"SELECT {ENTRY} FROM entry WHERE room = ? AND seq >= ? ORDER BY seq LIMIT ?",
                (number, after, limit + 1),
            )
        )
    found = bool(entries) and entries[0].seq == after
    return LogSlice(
        at=entries[0] if found else None,
        entries=entries[1:] if found else entries[:limit],
        tip=Tip(*tip),
        first_seq=first,
    )


def load(connection: sqlite3.Connection, room: RoomId, newest: int) -> RoomRecord:
    with _moment(connection) as execute:
        row = execute(
            "SELECT id, snapshot_seq, snapshot_link, snapshot_format, snapshot FROM room "
            "WHERE name = ?",
            (room,),
        ).fetchone()
        if row is None:
            return RoomRecord(None, (), ())
        number, seq, link, format, state = row
        entries = entries_of(
            execute(
                f"SELECT {ENTRY} FROM entry WHERE room = ? AND seq > ? ORDER BY seq", (number, seq)
            )
        )
        messages = execute(
            "SELECT seq, body FROM message WHERE room = ? ORDER BY seq DESC LIMIT ?",
            (number, newest),
        ).fetchall()
    return RoomRecord(
        snapshot=Snapshot(Position(seq, link), format, state) if seq else None,
        entries=entries,
        messages=tuple([MessageRow(*message) for message in reversed(messages)]),
    )


def page(
    connection: sqlite3.Connection, room: RoomId, query: PageQuery, limit: int, size: int
) -> MessagePage:
    """One row more than asked for on each side tells whether there is any; `size` is in bytes."""
    sides = below, above = wanted(query, limit)
    split = query.seq + 1 if isinstance(query, After) else query.seq
    with _moment(connection) as execute:
        row = execute(
            "SELECT id, snapshot_seq, removed FROM room WHERE name = ?", (room,)
        ).fetchone()
        if row is None:
            return MessagePage((), 0, False, False, True)
        number, snapshot_seq, removed = row
        older = execute(
            "SELECT seq, body FROM message WHERE room = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (number, split, below + 1),
        ).fetchall()
        newer = execute(
            "SELECT seq, body FROM message WHERE room = ? AND seq >= ? ORDER BY seq LIMIT ?",
            (number, split, above + 1),
        ).fetchall()
    rows = [MessageRow(*message) for message in (*reversed(older), *newer)]
    low, high = fitting(rows, len(older), sides, size)
    return MessagePage(
        rows=tuple(rows[low:high]),
        snapshot_seq=snapshot_seq,
        has_before=low > 0,
        has_after=high < len(rows),
        complete=low > 0 or not removed,
    )


def tips(connection: sqlite3.Connection, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
    found: dict[RoomId, Tip] = {}
    with _moment(connection) as execute:
        for name in rooms:
            row = execute(_TIP, (name,)).fetchone()
            if row is not None:
                found[name] = Tip(*row[1:])
    return found


def rooms(connection: sqlite3.Connection, after: RoomId | None, limit: int) -> list[RoomId]:
    """SQLite compares names by their UTF-8 bytes, which is the order of their code points."""
    return [
        RoomId(name)
        for (name,) in connection.execute(
            "SELECT name FROM room WHERE name > ? ORDER BY name LIMIT ?"
            if after is not None
            else "SELECT name FROM room WHERE name IS NOT ? ORDER BY name LIMIT ?",
            (after, limit),
        )
    ]


def lapsed(connection: sqlite3.Connection, nodes: Sequence[NodeId], now: int) -> list[NodeId]:
    live = {
        node for (node,) in connection.execute("SELECT node FROM lease WHERE until > ?", (now,))
    }
    return [node for node in nodes if node not in live]
