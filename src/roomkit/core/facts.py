"""What a room's log holds: the facts, and how they become the store's opaque bytes.

A fact of a kind this version does not know decodes to None and is folded as "nothing seen": nodes
of different versions can share a log. Facts carry no clock reading; the entry's `at` dates them.
"""

from __future__ import annotations

import msgspec

from roomkit.core.commands import Meta
from roomkit.core.views import Message
from roomkit.ids import NodeId, SessionId, UserId

__all__ = [
    "CONTROL_FACTS",
    "Arrival",
    "Deleted",
    "Departure",
    "Edited",
    "Entered",
    "Fact",
    "Left",
    "Moderated",
    "NodeLost",
    "Posted",
    "RosterSwitched",
    "decode",
    "encode",
]


class Arrival(msgspec.Struct, frozen=True, omit_defaults=True):
    """One session entering. `ago_ms`: how long before the entry's `at` its user came."""

    session: SessionId
    user_id: UserId
    username: str
    meta: Meta | None = None
    ago_ms: int = 0


class Departure(msgspec.Struct, frozen=True):
    """One session leaving, and why: left, dropped or replaced."""

    session: SessionId
    user_id: UserId
    reason: str


class Posted(msgspec.Struct, frozen=True, tag="posted", omit_defaults=True):
    """A message."""

    user_id: UserId
    username: str
    text: str
    system: bool = False
    idempotency_key: str | None = None
    reply_to: str | None = None
    meta: Meta | None = None


class Edited(msgspec.Struct, frozen=True, tag="edited"):
    """A message got another text: here it is whole in its new form, but for when it was edited."""

    message: Message
    by: UserId


class Deleted(msgspec.Struct, frozen=True, tag="deleted"):
    """A message was deleted: here is its tombstone, but for when it was deleted."""

    message: Message
    by: UserId
    reason: str | None = None


class Entered(msgspec.Struct, frozen=True, tag="entered", omit_defaults=True):
    """Sessions of one node entered.

    With `all`, the list is everybody this node serves in the room: whoever the fold holds for
    `node`, or for `former` (its id before it was declared lost), and is not listed has left.
    """

    node: NodeId
    arrivals: list[Arrival]
    all: bool = False
    former: NodeId | None = None


class Left(msgspec.Struct, frozen=True, tag="left"):
    """Sessions of one node left. Counts only for sessions the fold holds at that node."""

    node: NodeId
    departures: list[Departure]


class NodeLost(msgspec.Struct, frozen=True, tag="node_lost"):
    """A node's lease lapsed: every session it held has left."""

    node: NodeId


class RosterSwitched(msgspec.Struct, frozen=True, tag="roster"):
    """The roster goes out of the log (`shown` False, and is cleared) or comes back into it."""

    shown: bool


class Moderated(msgspec.Struct, frozen=True, tag="moderated", omit_defaults=True):
    """A moderator's act. Known actions: `kick`."""

    action: str
    user_id: UserId
    username: str
    by: str
    reason: str | None = None


Fact = Posted | Edited | Deleted | Entered | Left | NodeLost | RosterSwitched | Moderated

CONTROL_FACTS = frozenset({Edited, Deleted, NodeLost, RosterSwitched, Moderated})
"""Kinds that move the fence: whoever appends must have folded every one before."""

_decoder: msgspec.msgpack.Decoder[Fact] = msgspec.msgpack.Decoder(Fact)

encode = msgspec.msgpack.Encoder().encode
"""Turn a fact into the bytes a store keeps: MessagePack, tagged by kind."""


def decode(data: bytes) -> Fact | None:
    """Return the fact, or None if this version does not know its kind or form."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError:
        return None
