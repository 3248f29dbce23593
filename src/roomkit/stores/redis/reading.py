"""What is asked of a room, each answer from one moment of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

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
from roomkit.ids import Position, RoomId
from roomkit.stores.paging import fitting
from roomkit.stores.redis.keys import Keys
from roomkit.stores.redis.rows import entries_of, rows_of
from roomkit.stores.redis.server import Server
from roomkit.stores.redis.servers import Servers

__all__ = ["Found", "cut", "find", "load", "read", "rooms", "split_of", "tips"]

_TIP = ("seq", "link", "saved")
_ROOMS = 500  # names looked at in one go


async def read(server: Server, keys: Keys, room: RoomId, after: int, limit: int) -> LogSlice:
    log = keys.log(room)
    head, first, found = await server.together(
        ("HMGET", keys.head(room), *_TIP),
        ("XRANGE", log, "-", "+", "COUNT", 1),
        ("XRANGE", log, f"{after}-0" if after else "-", "+", "COUNT", limit + 1),
    )
    tip = _tip(head)
    if tip is None:
        return LogSlice(None, (), Tip(0, "", 0), 0)
    entries = entries_of(found)
    there = bool(entries) and entries[0].seq == after
    return LogSlice(
        at=entries[0] if there else None,
        entries=entries[1:] if there else entries[:limit],
        tip=tip,
        first_seq=entries_of(first)[0].seq,
    )


async def load(server: Server, keys: Keys, room: RoomId, newest: int) -> tuple[RoomRecord, bool]:
    """Return also whether messages were removed."""
    head, log, messages = await server.together(
        ("HMGET", keys.head(room), "seq", "saved", "saved_link", "format", "state", "removed"),
        ("XRANGE", keys.log(room), "-", "+"),
        ("ZRANGE", keys.messages(room), -newest, -1),
    )
    seq, saved, link, format, state, removed = head
    if seq is None:  # whatever else is left of it
        return RoomRecord(None, (), ()), False
    snapshot, entries = None, entries_of(log)
    if saved is not None:
        snapshot = Snapshot(Position(int(saved), link.decode()), int(format), state)
        entries = tuple([entry for entry in entries if entry.seq > snapshot.position.seq])
    return RoomRecord(snapshot, entries, tuple(rows_of(messages))), bool(removed)


class Found(NamedTuple):
    """Rows on both sides of a seq, oldest first, where there are any one more than asked for.

    Attributes:
        older: below it.
        newer: from it on.
        saved: seq of the kept snapshot, 0 if none.
        removed: there were more, below those that are kept.
        oldest: seq of the oldest row that is kept, of all; 0 if there is none.
    """

    older: Sequence[MessageRow]
    newer: Sequence[MessageRow]
    saved: int
    removed: bool
    oldest: int


def split_of(query: PageQuery) -> int:
    """Return the seq that parts older rows from newer ones."""
    return query.seq + 1 if isinstance(query, After) else query.seq


async def find(
    server: Server, keys: Keys, room: RoomId, split: int, sides: tuple[int, int]
) -> Found:
    messages, (below, above) = keys.messages(room), sides
    older, newer, oldest, (saved, removed) = await server.together(
        ("ZRANGE", messages, f"({split}", "-inf", "BYSCORE", "REV", "LIMIT", 0, below + 1),
        ("ZRANGE", messages, split, "+inf", "BYSCORE", "LIMIT", 0, above + 1),
        ("ZRANGE", messages, 0, 0),
        ("HMGET", keys.head(room), "saved", "removed"),
    )
    return Found(
        older=rows_of([*reversed(older)]),
        newer=rows_of(newer),
        saved=int(saved or 0),
        removed=bool(removed),
        oldest=rows_of(oldest)[0].seq if oldest else 0,
    )


def cut(found: Found, sides: tuple[int, int], size: int) -> MessagePage:
    """Return a page; the row too many on each side tells whether there is any.

    Args:
        size: bytes of a page.
    """
    rows = [*found.older, *found.newer]
    low, high = fitting(rows, len(found.older), sides, size)
    return MessagePage(
        rows=tuple(rows[low:high]),
        snapshot_seq=found.saved,
        has_before=low > 0,
        has_after=high < len(rows),
        complete=low > 0 or not found.removed,
    )


async def tips(servers: Servers, keys: Keys, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
    names = {room: keys.head(room) for room in rooms}
    heads = await servers.each(names, lambda room: ("HMGET", names[room], *_TIP))
    found = {room: _tip(head) for room, head in heads.items()}
    return {room: tip for room, tip in found.items() if tip is not None}


async def rooms(servers: Servers, keys: Keys, after: RoomId | None, limit: int) -> list[RoomId]:
    """The server compares names by their UTF-8 bytes, which is the order of their code points.

    A name is put down before the first append to its room, so some may have no log.
    """
    found: list[RoomId] = []
    start = "-" if after is None else f"({after}"
    while len(found) < limit:
        listed = await servers.ask(keys.rooms, partial(_names, keys=keys, start=start))
        there = await tips(servers, keys, listed)
        found += [room for room in listed if room in there]
        if len(listed) < _ROOMS:
            break
        start = f"({listed[-1]}"
    return found[:limit]


async def _names(server: Server, keys: Keys, start: str) -> list[RoomId]:
    names = await server.call("ZRANGE", keys.rooms, start, "+", "BYLEX", "LIMIT", 0, _ROOMS)
    return [RoomId(name.decode()) for name in names]


def _tip(head: Sequence[bytes | None]) -> Tip | None:
    seq, link, saved = head
    if seq is None or link is None:
        return None
    return Tip(int(seq), link.decode(), int(saved or 0))
