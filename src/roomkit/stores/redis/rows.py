"""What comes back from the server, as the values of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from roomkit.core.effects import Append
from roomkit.core.storage import Behind, Entry, Known, MessageRow, Outcome, Stored

__all__ = ["Fields", "entries_in", "entries_of", "outcome_of", "rows_of"]

Fields = Sequence[tuple[bytes, Mapping[bytes, bytes]]]
"""A range of a stream: ids, and values by field."""

_BEHIND = Behind()


def outcome_of(append: Append, answer: bytes | Sequence[bytes]) -> Outcome:
    """Return what an append came to."""
    if isinstance(answer, bytes):
        return _BEHIND
    facts: Sequence[bytes] = [item.fact for item in append.facts]
    if answer[0] == b"again":
        answer, facts = answer[1::2], answer[2::2]
    items: list[Entry | Known] = []
    for line, fact in zip(answer, facts, strict=True):
        kind, seq, *rest = line.decode().split(" ")
        if kind == "k":
            link, at = rest
            items.append(Known(int(seq), link, int(at)))
        else:
            at, prev, link, control = rest
            items.append(Entry(int(seq), int(at), prev, link, fact, control == "1"))
    return Stored(tuple(items))


def entries_of(fields: Fields) -> tuple[Entry, ...]:
    """Return the entries of a range of a log."""
    return tuple(
        [
            Entry(
                seq=int(name.split(b"-")[0]),
                at=int(values[b"a"]),
                prev=values[b"p"].decode(),
                link=values[b"l"].decode(),
                fact=values[b"f"],
                control=values[b"c"] == b"1",
            )
            for name, values in fields
        ]
    )


def entries_in(hint: bytes) -> Iterator[Entry]:
    """Yield the entries of a hint as the script publishes it.

    Raises:
        ValueError: it is none.
    """
    place = 0
    while place < len(hint):
        end = hint.index(b"\n", place)
        seq, at, prev, link, control, size = hint[place:end].decode().split(" ")
        place = end + 1 + int(size)
        yield Entry(int(seq), int(at), prev, link, hint[end + 1 : place], control == "1")


def rows_of(members: Sequence[bytes]) -> list[MessageRow]:
    """Return archived messages."""
    rows: list[MessageRow] = []
    for member in members:
        seq, _, body = member.partition(b":")
        rows.append(MessageRow(int(seq), body))
    return rows
