"""Idempotency keys: a fact whose key the store knows is answered with its entry and not added."""

from __future__ import annotations

from roomkit.core.storage import Behind, Entry, Known
from roomkit.ids import RoomId
from roomkit.testing.store_laws.base import StoreLaws
from roomkit.testing.store_laws.writing import (
    LOBBY,
    Writer,
    entries_of,
    items_of,
    keyed,
    log_of,
    snapshot_at,
    submit,
    wall,
)

__all__ = ["KeyLaws"]


def known(entry: Entry) -> Known:
    return Known(entry.seq, entry.link, entry.at)


class KeyLaws(StoreLaws):
    async def test_a_known_key_is_answered_with_its_entry(self) -> None:
        now = wall()
        async with self.handles(2) as (here, there):
            (first,) = await submit(here, [Writer("here").append(LOBBY, keyed("k", b"a"))], now)
            other = Writer("there")
            appends = [other.append(LOBBY, keyed("k", b"b")), other.append(LOBBY, keyed("K", b"c"))]
            again, different = await submit(there, appends, now + 1)
            log = await log_of(here, LOBBY)
        (entry,) = entries_of(first)
        assert items_of(again) == (known(entry),)
        assert log == entries_of(first) + entries_of(different)

    async def test_a_key_repeated_in_one_append_is_known_at_once(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            append = node.append(
                LOBBY, keyed("k", b"a"), b"b", keyed("k", b"c"), keyed("j", b"d"), keyed("k", b"e")
            )
            (outcome,) = await submit(store, [append], now)
            log = await log_of(store, LOBBY)
        assert [(entry.seq, entry.fact) for entry in log] == [(1, b"a"), (2, b"b"), (3, b"d")]
        first, second, third = log
        assert items_of(outcome) == (first, second, known(first), third, known(first))

    async def test_known_and_new_facts_may_be_mixed(self) -> None:
        """Also with nothing but known ones: stored, and its nonce is recorded like any other."""
        now, node = wall(), Writer()
        async with self.handle() as store:
            (first,) = await submit(store, [node.append(LOBBY, keyed("k", b"a"))], now)
            mixed = node.append(LOBBY, keyed("k", b"b"), keyed("j", b"c"), keyed("k", b"d"), b"e")
            nothing_new = node.append(LOBBY, keyed("j", b"f"), keyed("k", b"g"))
            outcomes = await submit(store, [mixed, nothing_new, nothing_new], now + 1)
            log = await log_of(store, LOBBY)
        assert [(entry.seq, entry.fact) for entry in log] == [(1, b"a"), (2, b"c"), (3, b"e")]
        a, c, e = log
        assert entries_of(first) == (a,)
        assert [items_of(outcome) for outcome in outcomes] == [
            (known(a), c, known(a), e),
            (known(c), known(a)),
            (known(c), known(a)),
        ]

    async def test_a_known_key_does_not_excuse_a_wrong_fence(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            await submit(store, [node.append(LOBBY, keyed("k", b"a"))], now)
            fence = await node.control(store, LOBBY, now)
            old = node.append(LOBBY, keyed("k", b"a"))
            right = node.append(LOBBY, keyed("k", b"a"), fence=fence.link)
            refused, answered = await submit(store, [old, right], now)
            log = await log_of(store, LOBBY)
        assert refused == Behind()
        assert items_of(answered) == (known(log[0]),)

    async def test_keys_belong_to_one_room(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            appends = [node.append(RoomId(name), keyed("k", b"a")) for name in ("a", "b", "ab")]
            outcomes = await submit(store, appends, now)
        assert [entries_of(outcome)[0].seq for outcome in outcomes] == [1, 1, 1]

    async def test_a_key_outlives_its_entry(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            (first,) = await submit(store, [node.append(LOBBY, keyed("k", b"a"))], now)
            log = await node.fill(store, LOBBY, 2 * self.limits.log_entries, now)
            assert await store.save(LOBBY, snapshot_at(log[-1]), (), now)
            kept = await store.read(LOBBY, 0, 1)
            (again,) = await submit(store, [node.append(LOBBY, keyed("k", b"b"))], now)
        assert kept.first_seq > 1
        assert items_of(again) == (known(entries_of(first)[0]),)

    async def test_a_key_is_known_as_long_as_the_limit_says(self) -> None:
        now, node = wall(), Writer()
        late = now + self.limits.idempotency_ms - 1
        async with self.handle() as store:
            (first,) = await submit(store, [node.append(LOBBY, keyed("k", b"a"))], now)
            (again,) = await submit(store, [node.append(LOBBY, keyed("k", b"b"))], late)
        assert items_of(again) == (known(entries_of(first)[0]),)

    async def test_a_key_is_forgotten_in_the_end(self) -> None:
        """Then its next use is a new entry, and that one is known."""
        now, node = wall(), Writer()
        async with self.handle() as store:
            await submit(store, [node.append(LOBBY, keyed("k", b"a"))], now)
            late = now + 2 * self.limits.idempotency_ms
            appends = [node.append(LOBBY, keyed("k", b"b")), node.append(LOBBY, keyed("k", b"c"))]
            fresh, again = await submit(store, appends, late)
        (entry,) = entries_of(fresh)
        assert (entry.seq, entry.fact) == (2, b"b")
        assert items_of(again) == (known(entry),)
