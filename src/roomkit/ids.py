"""The names things go by: typed ids, the position of an entry in a room's log, and how links chain.

Ids are opaque strings. A position is `(seq, link)`: `seq` counts a room's entries without holes
from 1, and `link` is a hash chained from the entry before, so a position of another log, or of a
future that a store lost, never matches by accident.
"""

from __future__ import annotations

import hashlib
from typing import NewType

import msgspec

__all__ = [
    "ORIGIN",
    "ConnectionId",
    "MessageId",
    "NodeId",
    "Position",
    "RequestId",
    "RoomId",
    "SessionId",
    "UserId",
    "chain_link",
    "entry_id",
    "message_id",
    "message_position",
]

RoomId = NewType("RoomId", str)
UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
ConnectionId = NewType("ConnectionId", str)
NodeId = NewType("NodeId", str)
MessageId = NewType("MessageId", str)
RequestId = NewType("RequestId", int)


class Position(msgspec.Struct, frozen=True, gc=False):
    """A place in one room's log.

    Attributes:
        seq: 0 for "before the first entry", else 1 or more.
        link: 16 lower-case hex digits; empty only at seq 0 of a log that does not exist yet.
    """

    seq: int
    link: str


ORIGIN = Position(0, "")


def chain_link(prev: str, at: int, fact: bytes) -> str:
    """Return the link of an entry: 16 hex digits of SHA-1 over `prev`, `at` and the fact's bytes.

    Part of the store contract, and chosen so that a script inside Redis can compute it too. It
    detects forks and lost tails; it is no defence against somebody who can write to the store.

    Args:
        prev: link of the entry before; random for seq 1.
        at: milliseconds since the Unix epoch, as stored.
        fact: the opaque bytes of the fact.
    """
    digest = hashlib.sha1(f"{prev}:{at}:".encode() + fact, usedforsecurity=False)
    return digest.hexdigest()[:16]


def message_id(position: Position) -> MessageId:
    """Return the id a message is known by on the wire: `<seq>-<link>`, opaque to clients."""
    return MessageId(entry_id(position.seq, position.link))


def entry_id(seq: int, link: str) -> str:
    """Return the id of the message that was posted at this `seq` and `link`."""
    return f"{seq}-{link}"


def message_position(name: str) -> Position | None:
    """Return the position a message id stands for, None if it is no id of ours."""
    seq, _, link = name.partition("-")
    if not (seq.isascii() and seq.isdigit() and len(seq) <= 16 and link):
        return None
    return Position(int(seq), link)
