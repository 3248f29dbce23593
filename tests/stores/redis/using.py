"""Using a store whose servers fail meanwhile, as the engine does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio

from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import Entry, Hint, Nonce, Stored, StoreFeed, Unknown
from roomkit.errors import StoreError
from roomkit.ids import NodeId, RoomId
from roomkit.stores.redis import RedisStore

__all__ = ["LOBBY", "NOW", "PATIENCE_S", "hear", "hear_seq", "said", "settle"]

LOBBY = RoomId("lobby")
NOW = 1_700_000_000_000
PATIENCE_S = 30.0


def said(counter: int, room: RoomId = LOBBY) -> Append:
    nonce = Nonce(NodeId("node"), counter)
    return Append(room, nonce, "", (FactItem(f"key-{counter}", b"hello"),), control=False)


async def settle(store: RedisStore, append: Append) -> Entry:
    """Send an append until it is stored, as the engine does."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            try:
                (outcome,) = await store.append([append], NOW)
            except StoreError:
                outcome = Unknown("the call failed")
            if isinstance(outcome, Stored):
                (entry,) = outcome.items
                assert isinstance(entry, Entry)
                return entry
            assert isinstance(outcome, Unknown), outcome
            await anyio.sleep(0.05)


async def hear(feed: AsyncIterator[StoreFeed], kind: type) -> StoreFeed:
    with anyio.fail_after(PATIENCE_S):
        async for item in feed:
            if isinstance(item, kind):
                return item
    raise AssertionError("the feed has ended")


async def hear_seq(feed: AsyncIterator[StoreFeed], seq: int) -> None:
    while True:
        hint = await hear(feed, Hint)
        assert isinstance(hint, Hint)
        if any(entry.seq == seq for entry in hint.entries):
            return
