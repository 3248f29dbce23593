"""The contract of a store: what it must remember, and what it may never do.

A store keeps opaque bytes in order. It never looks inside a fact, a snapshot or a message, and
decides nothing but order, fences, nonces and keys. `roomkit.testing.StoreSuite` proves an
implementation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from roomkit.core.effects import Append
from roomkit.core.storage import (
    LogSlice,
    MessagePage,
    MessageRow,
    Outcome,
    PageQuery,
    RoomRecord,
    Snapshot,
    StoreFeed,
    Tip,
)
from roomkit.ids import NodeId, RoomId

__all__ = ["Store"]


class Store(Protocol):
    """One node's handle on the rooms' logs.

    Every call may raise `StoreError`; a raise from `append` means that nothing is known of its
    outcome (as `Unknown` does), from any other call that nothing was done. Calls are cancellable; a
    cancelled `append` is an unknown outcome too. No call retries an append by itself.
    """

    @property
    def durability(self) -> str:
        """What an ack means, by name: `memory`, `sqlite-full`, ... (sent in `welcome`)."""
        ...

    def open(self) -> AbstractAsyncContextManager[None]:
        """Hold what the store needs while the hub runs. Entered once, before any other call."""
        ...

    def lane(self, room: RoomId) -> int:
        """Which lane a room's appends queue in: 0 unless the store shards."""
        ...

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        """Store each append whole or refuse it whole; one outcome per append, in order.

        All appends of one call are of one lane. For each, in this order:

        1. The nonce: if its counter equals the last one stored for this room and node, repeat that
           outcome and write nothing; if it is lower, `Behind`. Kept for a day. `Behind` and
           `Failed` are not recorded.
        2. The fence: if it is not the link of the room's last control entry ("" if there was none),
           `Behind`.
        3. `after`, if it is given: if the log has no entry at that seq with that link, `Behind`.
        4. Each fact in order: if the store holds its key, or an earlier fact of this append has it,
           `Known`; else an entry with the next seq, `at = max(now, at of the entry before)`, `prev`
           the link before (random for seq 1) and `link = chain_link(prev, at, fact)`.
        5. If `control`, the last fact is a control fact: its link becomes the fence.

        Keys are remembered until `now` is `idempotency_ms` past the entry's `at`, whatever is
        trimmed. A control fact answered `Known` adds nothing and leaves the fence.

        Args:
            now: milliseconds since the Unix epoch, by the hub's wall clock.
        """
        ...

    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        """Return up to `limit` entries after a seq, the entry at it, tip and first kept seq.

        Below the first kept seq, the kept entries: the reader sees the gap from `first_seq`.
        """
        ...

    async def load(self, room: RoomId) -> RoomRecord:
        """Return the kept snapshot, all entries after it and the newest 50 archived messages."""
        ...

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        """Keep a snapshot and archive messages; False (and nothing done) if it is refused.

        Refused if its position is not in the log, or its seq is not above the kept snapshot's, or a
        newer `format` is kept. Otherwise: archived rows with a seq above the kept snapshot's and up
        to this one's are replaced by the given messages, older given messages replace theirs; the
        snapshot is kept; and the log is trimmed by count and age, never past the snapshot, whose
        own entry stays too: a log once begun is never empty.
        """
        ...

    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        """Return archived messages, oldest first, none past the kept snapshot.

        At least one row if there is any in the range, so that paging always gets on.
        """
        ...

    async def tips(self, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
        """Return the tips of those of the rooms that have a log."""
        ...

    async def rooms(self, after: RoomId | None, limit: int) -> Sequence[RoomId]:
        """Return rooms that have a log, in code point order, from the first one above `after`."""
        ...

    async def follow(self, room: RoomId) -> None:
        """Bring hints and signals of this room in the feed from now on.

        Repeating it is harmless.
        """
        ...

    async def unfollow(self, room: RoomId) -> None:
        """Stop bringing them. Repeating it is harmless."""
        ...

    def feed(self) -> AbstractAsyncContextManager[AsyncIterator[StoreFeed]]:
        """Open the one feed of this handle: hints, signals and interruptions, lossy and unordered.

        A handle is not told of its own appends and signals. What a slow reader could not take is
        replaced by `Interrupted`.
        """
        ...

    async def signal(self, room: RoomId, payload: bytes) -> None:
        """Pass an ephemeral payload to the other handles following the room."""
        ...

    async def renew(self, node: NodeId, ttl_ms: int) -> bool:
        """Hold the node's lease for `ttl_ms` from now; False if the store could not."""
        ...

    async def lapsed(self, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        """Return those of the nodes that hold no live lease."""
        ...

    async def secret(self) -> bytes:
        """Return 32 random bytes, the same for every node of this store for ever."""
        ...
