"""Rows as tuples, entries as values, and inserting many of the first in few statements.

Every statement lets go of the interpreter, and to get it back from a busy event loop takes time; so
all rows go to one statement, or to few if they are very many.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import chain, islice

import msgspec

from roomkit.core.storage import Entry, Known, Stored

__all__ = ["ENTRY", "EntryRow", "Insert", "decode_answer", "encode_answer", "entries_of"]

ENTRY = "seq, at, prev, link, fact, control"
"""The columns of an `EntryRow`."""

EntryRow = tuple[int, int, str, str, bytes, int]

_AT_ONCE = 64
_ANSWER = msgspec.msgpack.Decoder(list[tuple[int, int, str, str, bytes | None, bool]])


def entries_of(rows: Iterable[EntryRow]) -> tuple[Entry, ...]:
    return tuple(
        [
            Entry(seq, at, prev, link, fact, bool(control))
            for seq, at, prev, link, fact, control in rows
        ]
    )


class Insert:
    """A statement that inserts rows of so many columns; `into` is all before `VALUES`."""

    def __init__(self, into: str, columns: int) -> None:
        row = "(" + ",".join("?" * columns) + ")"

        @cache
        def text(size: int) -> str:
            return f"{into} VALUES {','.join([row] * size)}"

        self._text = text

    def __call__(
        self, connection: sqlite3.Connection, rows: Collection[Sequence[int | str | bytes | None]]
    ) -> int:
        """Insert the rows in their order, and return how many were."""
        inserted, remaining = 0, iter(rows)
        for left in range(len(rows), 0, -_AT_ONCE):
            size = min(left, _AT_ONCE)
            values = tuple(chain.from_iterable(islice(remaining, size)))
            inserted += connection.execute(self._text(size), values).rowcount
        return inserted


def encode_answer(answer: Stored) -> bytes:
    """Return the answer to an append as bytes, facts and all."""
    return msgspec.msgpack.encode(
        [
            (item.seq, item.at, "", item.link, None, False)
            if isinstance(item, Known)
            else msgspec.structs.astuple(item)
            for item in answer.items
        ]
    )


def decode_answer(data: bytes) -> Stored:
    return Stored(
        tuple(
            [
                Known(seq, link, at) if fact is None else Entry(seq, at, prev, link, fact, control)
                for seq, at, prev, link, fact, control in _ANSWER.decode(data)
            ]
        )
    )
