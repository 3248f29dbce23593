"""What a store refuses, old nonces and wrong fences; and what it repeats, a nonce's answer."""

from __future__ import annotations

from roomkit.core.storage import Behind
from roomkit.ids import Position, RoomId, chain_link
from roomkit.testing.store_laws.base import StoreLaws
from roomkit.testing.store_laws.writing import (
    LOBBY,
    MINUTE_MS,
    Writer,
    entries_of,
    items_of,
    keyed,
    log_of,
    snapshot_at,
    submit,
    wall,
)

__all__ = ["RefusalLaws"]

HOUR_MS = 60 * MINUTE_MS


class RefusalLaws(StoreLaws):
    async def test_a_repeated_nonce_repeats_the_outcome_and_writes_nothing(self) -> None:
        now, node = wall(), Writer()
        async with self.handles(2) as (here, there):
            append = node.append(LOBBY, keyed("k", b"a"), b"b")
            made = await submit(here, [append, append], now)
            made += await submit(there, [append], now + 1)
            await Writer("other").control(here, LOBBY, now)
            made += await submit(there, [append], now + 2)  # though its fence is old by now
            log = await log_of(here, LOBBY)
        assert made == [made[0]] * 4
        assert [entry.fact for entry in log] == [b"a", b"b", b"control"]
        assert entries_of(made[0]) == log[:2]

    async def test_a_repeated_nonce_is_answered_whatever_is_trimmed(self) -> None:
        now, node, other = wall(), Writer(), Writer("other")
        async with self.handle() as store:
            append = node.append(LOBBY, b"a")
            first = await submit(store, [append], now)
            log = await other.fill(store, LOBBY, 2 * self.limits.log_entries, now)
            assert await store.save(LOBBY, snapshot_at(log[-1]), (), now)
            again = await submit(store, [append], now)
            tip = (await store.read(LOBBY, 0, 1)).tip
        assert again == first
        assert tip.seq == log[-1].seq

    async def test_a_nonce_is_remembered_for_a_day(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            older, newer = node.append(LOBBY, b"a"), node.append(LOBBY, b"b")
            (first,) = await submit(store, [newer], now)
            late = now + 24 * HOUR_MS - 1
            outcomes = await submit(store, [newer, older], late)
            log = await log_of(store, LOBBY)
        assert outcomes == [first, Behind()]
        assert log == entries_of(first)

    async def test_a_lower_nonce_is_refused(self) -> None:
        now, node = wall(), Writer()
        async with self.handles(2) as (here, there):
            appends = [node.append(LOBBY, b"%d" % number) for number in range(3)]
            (stored,) = await submit(here, appends[2:], now)
            refused = await submit(there, appends[:2], now)
            log = await log_of(here, LOBBY)
        assert refused == [Behind(), Behind()]
        assert log == entries_of(stored)

    async def test_nonces_belong_to_one_room_and_one_node(self) -> None:
        now, high = wall(), Writer("node-1")
        high.counter = 10
        async with self.handle() as store:
            await high.write(store, LOBBY, b"a", now=now)
            same_node = await Writer("node-1").write(store, RoomId("attic"), b"b", now=now)
            same_room = await Writer("node-2").write(store, LOBBY, b"c", now=now)
        assert [(entry.seq, entry.fact) for entry in same_node + same_room] == [
            (1, b"b"),
            (2, b"c"),
        ]

    async def test_a_refusal_is_not_recorded(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            earlier = node.append(LOBBY, b"a")
            wrong = node.append(LOBBY, b"b", fence="no such link")
            node.counter -= 1
            right = node.append(LOBBY, b"b")
            outcomes = await submit(store, [wrong, earlier, right], now)
            log = await log_of(store, LOBBY)
        assert outcomes[0] == Behind()
        assert entries_of(outcomes[1]) + entries_of(outcomes[2]) == log
        assert [entry.fact for entry in log] == [b"a", b"b"]

    async def test_a_wrong_fence_is_refused_and_writes_nothing(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            older = await node.control(store, LOBBY, now)
            fence = await node.control(store, LOBBY, now, fence=older.link)
            (plain,) = await node.write(store, LOBBY, b"a", now=now, fence=fence.link)
            wrong = ["", older.link, plain.link, fence.prev, "0" * 16, fence.link.upper() + "f"]
            appends = [node.append(LOBBY, b"x", b"y", fence=link) for link in wrong]
            refused = await submit(store, appends, now)
            log = await log_of(store, LOBBY)
        assert refused == [Behind()] * len(wrong)
        assert log == (older, fence, plain)

    async def test_a_control_fact_moves_the_fence_even_within_one_call(self) -> None:
        now, node = wall(), Writer()
        async with self.handles(2) as (here, there):
            control = node.append(LOBBY, b"a", b"mute", control=True)
            late = node.append(LOBBY, b"b")
            outcomes = await submit(here, [control, late], now)
            fence = entries_of(outcomes[0])[-1]
            (after,) = await node.write(there, LOBBY, b"c", now=now, fence=fence.link)
            log = await log_of(here, LOBBY)
        assert outcomes[1] == Behind()
        assert log == (*entries_of(outcomes[0]), after)

    async def test_before_the_first_control_fact_only_the_empty_fence_is_right(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            (refused,) = await submit(store, [node.append(LOBBY, b"a", fence="0" * 16)], now)
            (plain,) = await node.write(store, LOBBY, b"b", now=now)
            guesses = [node.append(LOBBY, b"c", fence=link) for link in (plain.link, plain.prev)]
            also_refused = await submit(store, guesses, now)
            log = await log_of(store, LOBBY)
        assert [refused, *also_refused] == [Behind()] * 3
        assert log == (plain,)

    async def test_the_fence_outlives_the_log(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            fence = await node.control(store, LOBBY, now)
            facts = [b"fact"] * (2 * self.limits.log_entries)
            log = await node.write(store, LOBBY, *facts, now=now, fence=fence.link)
            assert await store.save(LOBBY, snapshot_at(log[-1]), (), now)
            (refused,) = await submit(store, [node.append(LOBBY, b"a")], now)
            (stored,) = await node.write(store, LOBBY, b"b", now=now, fence=fence.link)
        assert refused == Behind()
        assert (stored.seq, stored.prev) == (log[-1].seq + 1, log[-1].link)

    async def test_what_was_judged_after_an_entry_that_is_lost_is_refused(self) -> None:
        """After a failover the fence may be right, and what the author saw be lost."""
        now, node, attic = wall(), Writer(), RoomId("attic")
        async with self.handle() as store:
            first, last = await node.write(store, LOBBY, b"a", b"b", now=now)
            lost = [
                Position(last.seq, first.link),
                Position(last.seq, last.link.upper() + "f"),
                Position(last.seq + 1, last.link),
            ]
            appends = [
                *(node.append(LOBBY, b"c", control=True, after=after) for after in lost),
                node.append(attic, b"d", control=True, after=first.position),
                node.append(LOBBY, b"e", after=first.position),
                node.append(LOBBY, b"f", control=True, after=last.position),
            ]
            *refused, plain, control = await submit(store, appends, now)
            log = await log_of(store, LOBBY)
            rooms = await store.rooms(None, 10)
        assert refused == [Behind()] * 4
        assert log == (first, last, *items_of(plain), *items_of(control))
        assert list(rooms) == [LOBBY]

    async def test_what_was_judged_in_the_same_call_is_there(self) -> None:
        now, node, other = wall(), Writer(), Writer("node-2")
        async with self.handle() as store:
            (first,) = await node.write(store, LOBBY, b"a", now=now)
            link = chain_link(first.link, now, b"b")
            appends = [
                node.append(LOBBY, b"b", b"c"),
                other.append(LOBBY, b"d", control=True, after=Position(2, link)),
            ]
            outcomes = await submit(store, appends, now)
            log = await log_of(store, LOBBY)
        assert log == (first, *entries_of(outcomes[0]), *entries_of(outcomes[1]))

    async def test_an_append_is_stored_whole_or_not_at_all(self) -> None:
        """A refused one among others leaves nothing: no fact, no key, no room."""
        now, node, attic = wall(), Writer(), RoomId("attic")
        async with self.handle() as store:
            appends = [
                node.append(LOBBY, b"a"),
                node.append(LOBBY, keyed("k", b"b"), b"c", fence="wrong"),
                node.append(attic, b"d", fence="wrong"),
                node.append(LOBBY, keyed("k", b"e")),
            ]
            outcomes = await submit(store, appends, now)
            log = await log_of(store, LOBBY)
            rooms = await store.rooms(None, 10)
        assert outcomes[1:3] == [Behind(), Behind()]
        assert items_of(outcomes[0]) + items_of(outcomes[3]) == log
        assert [entry.fact for entry in log] == [b"a", b"e"]
        assert list(rooms) == [LOBBY]
