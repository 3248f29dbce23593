"""MemoryStore keeps the contract of a store, and what it alone promises: bounds, forgetting."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest

from roomkit.core.effects import Append
from roomkit.core.storage import (
    After,
    Around,
    Before,
    Hint,
    Interrupted,
    MessagePage,
    MessageRow,
    Nonce,
    PageQuery,
    StoreSignal,
)
from roomkit.ids import NodeId, RoomId
from roomkit.limits import Limits
from roomkit.stores import MemoryStore, Store
from roomkit.stores.handles import FEED_ITEMS
from roomkit.testing.store_laws.writing import (
    LOBBY,
    MINUTE_MS,
    Writer,
    items_of,
    keyed,
    log_of,
    rows,
    snapshot_at,
    submit,
)
from roomkit.testing.store_suite import StoreFactory, StoreSuite

NOW = 1_800_000_000_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
ATTIC = RoomId("attic")


class ManualClock:
    """Monotonic seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, ms: int) -> None:
        self.seconds += ms / 1_000


class TestMemoryStore(StoreSuite):
    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[StoreFactory]:
        self.clock = ManualClock()
        yield MemoryStore(limits=self.limits, clock=self.clock).another

    async def advance(self, ms: int) -> None:
        self.clock.advance(ms)


class TestMemoryStoreWithDefaultLimits(TestMemoryStore):
    limits = Limits()


def test_it_is_a_store_of_one_lane_that_says_what_an_ack_means() -> None:
    store: Store = MemoryStore()
    assert (store.durability, store.lane(LOBBY)) == ("memory", 0)


def test_a_room_must_keep_at_least_one_message() -> None:
    with pytest.raises(ValueError, match="messages must be 1 or more, not 0"):
        MemoryStore(messages=0)


async def test_an_append_without_facts_is_refused_before_anything_is_stored() -> None:
    store, node = MemoryStore(), Writer()
    nothing = Append(LOBBY, Nonce(NodeId("node-1"), 9), "", (), control=False)
    with pytest.raises(ValueError, match="an append to 'lobby' has no facts"):
        await store.append([node.append(LOBBY, b"a"), nothing], NOW)
    assert await store.rooms(None, 10) == []


# ------------------------------------------------------------------------------------ the archive


@asynccontextmanager
async def archive(store: MemoryStore, *messages: MessageRow) -> AsyncGenerator[MemoryStore]:
    """The store with a lobby of 20 entries, saved at its tip with these messages."""
    log = await Writer().fill(store, LOBBY, 20, NOW)
    assert await store.save(LOBBY, snapshot_at(log[-1]), messages, NOW)
    yield store


@pytest.mark.parametrize(
    ("query", "limit", "seqs", "complete"),
    [
        (Before(100), 2, [9, 11], True),
        (Before(100), 3, [7, 9, 11], False),
        (Before(7), 3, [], False),
        (After(0), 2, [7, 9], False),
        (After(6), 2, [7, 9], False),
        (After(7), 2, [9, 11], True),
        (After(100), 2, [], True),
        (Around(9), 4, [7, 9, 11], False),
        (Around(11), 2, [9, 11], True),
    ],
)
async def test_a_page_that_reaches_removed_messages_says_it_is_not_complete(
    query: PageQuery, limit: int, seqs: list[int], complete: bool
) -> None:
    async with archive(MemoryStore(messages=3), *rows(1, 3, 5, 7, 9, 11)) as store:
        page = await store.page(LOBBY, query, limit)
    assert ([row.seq for row in page.rows], page.complete) == (seqs, complete)


async def test_a_message_that_was_removed_does_not_come_back_when_it_is_edited() -> None:
    async with archive(MemoryStore(messages=2), *rows(1, 3, 5)) as store:
        (last,) = await Writer("other").write(store, LOBBY, b"edit", now=NOW)
        await store.save(LOBBY, snapshot_at(last), rows(1, 3, body="edited"), NOW)
        page = await store.page(LOBBY, After(0), 10)
    assert page == MessagePage((*rows(3, body="edited"), *rows(5)), last.seq, False, False, False)


@pytest.mark.parametrize(
    ("query", "limit", "seqs", "has_before", "has_after"),
    [
        (Before(100), 50, [9, 10], True, False),
        (Before(9), 50, [7, 8], True, True),
        (After(0), 50, [1, 2], False, True),
        (Around(5), 50, [4, 5], True, True),
        (Around(1), 50, [1, 2], False, True),
        (Around(100), 50, [9, 10], True, False),
        (Before(5), 1, [4], True, True),
    ],
)
async def test_a_page_holds_so_many_bytes_and_is_cut_where_it_is_farthest(
    query: PageQuery, limit: int, seqs: list[int], has_before: bool, has_after: bool
) -> None:
    """25 bytes are two bodies of ten, and not three."""
    messages = [MessageRow(seq, b"ten bytes!") for seq in range(1, 11)]
    async with archive(MemoryStore(limits=Limits(page_bytes=25)), *messages) as store:
        page = await store.page(LOBBY, query, limit)
    assert page == MessagePage(
        tuple(row for row in messages if row.seq in seqs), 20, has_before, has_after, True
    )


async def test_a_page_has_at_least_one_message_however_large() -> None:
    """Or nobody could ever read past it."""
    large = MessageRow(5, bytes(100))
    async with archive(MemoryStore(limits=Limits(page_bytes=25)), *rows(3), large) as store:
        page = await store.page(LOBBY, Before(100), 10)
    assert page == MessagePage((large,), 20, has_before=True, has_after=False, complete=True)


# --------------------------------------------------------------------------------------- forgetting


async def test_keys_and_nonces_are_forgotten_so_that_a_busy_room_stays_small() -> None:
    store = MemoryStore(limits=Limits(idempotency_ms=HOUR_MS))
    for hour in range(48):
        appends = [
            Writer(f"node-{hour}-{minute}").append(LOBBY, keyed(f"k-{hour}-{minute}", b"a"))
            for minute in range(60)
        ]
        await store.append(appends, NOW + hour * HOUR_MS)
    room = store._shared.rooms[LOBBY]
    assert (len(room._keys), len(room._aging), len(room._nonces)) == (60, 60, 24 * 60)


async def test_a_key_used_again_after_it_was_forgotten_is_kept_for_its_full_time() -> None:
    store, node = MemoryStore(), Writer()
    ticks = [0, HOUR_MS, HOUR_MS + 1, 2 * HOUR_MS - 1]
    appends = [node.append(LOBBY, keyed("k", b"%d" % tick)) for tick in ticks]
    seqs = []
    for append, tick in zip(appends, ticks, strict=True):
        (outcome,) = await submit(store, [append], NOW + tick)
        seqs.append(items_of(outcome)[0].seq)
    assert seqs == [1, 2, 2, 2]


async def test_after_a_day_a_node_may_count_anew() -> None:
    store = MemoryStore()
    await Writer().fill(store, LOBBY, 1, NOW)
    (again,) = await Writer().fill(store, LOBBY, 1, NOW + DAY_MS)
    assert again.seq == 2


async def test_rooms_are_dropped_when_their_last_entry_is_older_than_the_log_may_be() -> None:
    store, node = MemoryStore(limits=Limits(log_age_ms=2 * DAY_MS)), Writer()
    old = [RoomId(f"old-{number}") for number in range(100)]
    first = {room: await node.write(store, room, b"a", now=NOW) for room in old}
    await node.write(store, LOBBY, b"b", now=NOW + DAY_MS)
    late = NOW + 2 * DAY_MS
    await node.write(store, ATTIC, b"c", now=late)
    assert await store.rooms(None, 200) == sorted([*old, LOBBY, ATTIC])
    for _ in range(15):
        await node.write(store, ATTIC, b"c", now=late + 1)
    assert await store.rooms(None, 200) == [ATTIC, LOBBY]
    (anew,) = await node.write(store, old[-1], b"a", now=late + 1)
    assert anew.seq == 1
    assert anew.prev != first[old[-1]][0].prev


async def test_a_room_is_not_dropped_while_somebody_follows_it() -> None:
    store, node = MemoryStore(limits=Limits(log_age_ms=2 * DAY_MS)), Writer()
    late = NOW + 3 * DAY_MS
    other = store.another()
    async with other.open():
        await other.follow(LOBBY)
        await node.write(store, LOBBY, b"a", now=NOW)
        await node.write(store, ATTIC, b"b", now=late)
        assert await store.rooms(None, 10) == [ATTIC, LOBBY]
    await node.write(store, ATTIC, b"b", now=late)
    assert await store.rooms(None, 10) == [ATTIC]


async def test_a_room_lives_as_long_as_its_keys_and_nonces_count() -> None:
    limits = Limits(log_age_ms=1, idempotency_ms=2 * DAY_MS)
    store, node = MemoryStore(limits=limits), Writer()
    await submit(store, [node.append(LOBBY, keyed("k", b"a"))], NOW)
    await node.write(store, ATTIC, b"b", now=NOW + 2 * DAY_MS)
    assert await store.rooms(None, 10) == [ATTIC, LOBBY]
    await node.write(store, ATTIC, b"b", now=NOW + 2 * DAY_MS + 1)
    assert await store.rooms(None, 10) == [ATTIC]


async def test_a_room_from_the_future_does_not_keep_the_others_from_being_dropped() -> None:
    store, node = MemoryStore(), Writer()
    await node.write(store, RoomId("future"), b"a", now=NOW + 1_000 * DAY_MS)
    await node.write(store, LOBBY, b"b", now=NOW)
    await node.write(store, ATTIC, b"c", now=NOW + 8 * DAY_MS)
    assert await store.rooms(None, 10) == [ATTIC, RoomId("future")]


async def test_leases_of_nodes_long_gone_are_forgotten() -> None:
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    for number in range(100):
        await store.renew(NodeId(f"node-{number}"), 1_000)
        clock.advance(500)
    assert list(store._shared.leases) == [NodeId("node-98"), NodeId("node-99")]


# ----------------------------------------------------------------------------------------- the feed


async def test_a_hint_brings_the_entries_that_are_new_and_nothing_else_makes_one() -> None:
    here, node = MemoryStore(), Writer()
    there = here.another()
    await there.follow(LOBBY)
    async with there.feed() as feed:
        repeated = node.append(LOBBY, keyed("k", b"a"), b"b")
        known = node.append(LOBBY, keyed("k", b"c"))
        refused = node.append(LOBBY, b"d", fence="wrong")
        mixed = node.append(LOBBY, keyed("k", b"e"), b"f")
        await submit(here, [repeated, repeated, known, refused, mixed], NOW)
        await here.signal(LOBBY, b"typing")
        log = await log_of(here, LOBBY)
        with anyio.fail_after(5):
            brought = [await anext(feed) for _ in range(3)]
    assert brought == [Hint(LOBBY, log[:2]), Hint(LOBBY, log[2:]), StoreSignal(LOBBY, b"typing")]


async def test_a_reader_that_is_too_slow_is_told_once_that_it_was_interrupted() -> None:
    here = MemoryStore()
    there = here.another()
    await there.follow(LOBBY)
    async with there.feed() as feed:
        for number in range(FEED_ITEMS):
            await here.signal(LOBBY, b"%d" % number)
        await here.signal(LOBBY, b"one too many")
        await here.signal(LOBBY, b"next")
        with anyio.fail_after(5):
            brought = [await anext(feed), await anext(feed)]
            await here.signal(LOBBY, b"last")
            brought.append(await anext(feed))
    assert brought == [Interrupted(), StoreSignal(LOBBY, b"next"), StoreSignal(LOBBY, b"last")]


async def test_a_handle_has_one_feed_at_a_time() -> None:
    store = MemoryStore()
    async with store.feed():
        with pytest.raises(RuntimeError, match="feed is open already"):
            async with store.feed():
                pass
    async with store.feed():
        pass


async def test_a_closed_handle_follows_nothing() -> None:
    here = MemoryStore()
    there = here.another()
    async with there.open():
        await there.follow(LOBBY)
        await here.follow(LOBBY)
    assert here._shared.followers == {LOBBY: {here}}
    await here.unfollow(LOBBY)
    assert here._shared.followers == {}
