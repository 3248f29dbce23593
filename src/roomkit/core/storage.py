"""What the engine and a store say to each other: entries, outcomes, pages, tips. Data only.

The store gives each fact the next `seq` and a `link` chained from the entry before; it never looks
inside a fact, a snapshot or a message row. This file must not know what any of those bytes mean.
"""

from __future__ import annotations

import msgspec

from roomkit.ids import NodeId, Position, RoomId

__all__ = [
    "After",
    "Around",
    "Before",
    "Behind",
    "Entry",
    "Failed",
    "Hint",
    "Interrupted",
    "Known",
    "LogSlice",
    "MessagePage",
    "MessageRow",
    "Nonce",
    "Outcome",
    "PageQuery",
    "RoomRecord",
    "Snapshot",
    "StoreFeed",
    "StoreSignal",
    "Stored",
    "Tip",
    "Unknown",
]


class Nonce(msgspec.Struct, frozen=True, gc=False):
    """Names one append of one node. `counter` only grows while the node lives.

    Retries repeat it.
    """

    node: NodeId
    counter: int


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One fact as the store keeps it.

    Attributes:
        seq: dense from 1.
        at: milliseconds since the Unix epoch, never below the entry before.
        prev: link of the entry before; random at seq 1.
        link: `chain_link(prev, at, fact)`.
        fact: opaque bytes.
        control: True for the fact kinds that move the fence.
    """

    seq: int
    at: int
    prev: str
    link: str
    fact: bytes
    control: bool = False

    @property
    def position(self) -> Position:
        return Position(self.seq, self.link)


class Known(msgspec.Struct, frozen=True, gc=False):
    """The store (or this very batch) already holds this idempotency key: here is its entry."""

    seq: int
    link: str
    at: int

    @property
    def position(self) -> Position:
        return Position(self.seq, self.link)


class Stored(msgspec.Struct, frozen=True):
    """The append is in the log: one item per fact, in order."""

    items: tuple[Entry | Known, ...]


class Behind(msgspec.Struct, frozen=True):
    """Refused whole: the fence moved on, or the nonce is older than one already stored. Read on."""


class Failed(msgspec.Struct, frozen=True):
    """Certainly not stored (a full disk, say). `reason` is for operators' logs."""

    reason: str


class Unknown(msgspec.Struct, frozen=True):
    """Nobody can say whether it was stored. Only the same append, sent again, settles it."""

    reason: str


Outcome = Stored | Behind | Failed | Unknown


class Tip(msgspec.Struct, frozen=True, gc=False):
    """The end of a room's log, and how far its kept snapshot reaches (0: none)."""

    seq: int
    link: str
    snapshot_seq: int


class LogSlice(msgspec.Struct, frozen=True):
    """Entries after a seq.

    Attributes:
        at: the entry at the seq asked for, or None if it is not kept (always None for 0).
        entries: those after it, oldest first, dense.
        tip: end of the log now.
        first_seq: lowest seq still kept; 0 for an empty log.
    """

    at: Entry | None
    entries: tuple[Entry, ...]
    tip: Tip
    first_seq: int


class Snapshot(msgspec.Struct, frozen=True):
    """A room's folded state at a position (no messages). `state` is opaque; `format` only grows."""

    position: Position
    format: int
    state: bytes


class MessageRow(msgspec.Struct, frozen=True, gc=False):
    """One message in its final form, as the archive keeps it. `body` is opaque."""

    seq: int
    body: bytes


class RoomRecord(msgspec.Struct, frozen=True):
    """All a node needs to serve a room it did not know.

    Attributes:
        snapshot: the kept one, or None.
        entries: every kept entry after the snapshot, oldest first.
        messages: the newest 50 archived rows, oldest first.
    """

    snapshot: Snapshot | None
    entries: tuple[Entry, ...]
    messages: tuple[MessageRow, ...]


class Before(msgspec.Struct, frozen=True):
    """The newest rows with a seq below this one."""

    seq: int


class After(msgspec.Struct, frozen=True):
    """The oldest rows with a seq above this one."""

    seq: int


class Around(msgspec.Struct, frozen=True):
    """`limit // 2` rows below this seq, and the rest at or above it."""

    seq: int


PageQuery = Before | After | Around


class MessagePage(msgspec.Struct, frozen=True):
    """Archived rows, oldest first, none past the kept snapshot.

    Attributes:
        rows: at most the limit asked for.
        snapshot_seq: seq of the kept snapshot, 0 if none.
        has_before: an older row than the first of these exists (for no rows: below the range).
        has_after: a newer row than the last of these exists, up to the snapshot.
        complete: False if retention removed rows inside the range or just beyond it.
    """

    rows: tuple[MessageRow, ...]
    snapshot_seq: int
    has_before: bool
    has_after: bool
    complete: bool


class Hint(msgspec.Struct, frozen=True):
    """Somebody appended to a followed room. `entries` may be empty, partial, late or repeated."""

    room: RoomId
    entries: tuple[Entry, ...]


class StoreSignal(msgspec.Struct, frozen=True):
    """An ephemeral payload another node sent to a followed room."""

    room: RoomId
    payload: bytes


class Interrupted(msgspec.Struct, frozen=True):
    """The feed may have missed anything: look at every tip again."""


StoreFeed = Hint | StoreSignal | Interrupted
