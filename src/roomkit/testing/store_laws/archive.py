"""Snapshots and what saving one does: refusals, replaced messages, a trimmed log."""

from __future__ import annotations

from roomkit.core.storage import After, MessageRow, RoomRecord, Snapshot
from roomkit.ids import Position, RoomId
from roomkit.stores.base import Store
from roomkit.testing.store_laws.base import StoreLaws
from roomkit.testing.store_laws.writing import (
    LOBBY,
    MINUTE_MS,
    Writer,
    log_of,
    rows,
    snapshot_at,
    wall,
)

__all__ = ["ArchiveLaws"]


async def archived(store: Store, room: RoomId = LOBBY) -> tuple[MessageRow, ...]:
    """Return every archived message, up to a page's bytes."""
    return (await store.page(room, After(0), 1_000)).rows


class ArchiveLaws(StoreLaws):
    async def test_the_snapshot_and_the_entries_after_it_are_the_whole_room(self) -> None:
        now, node = wall(), Writer()
        state = bytes(range(256)) * 400
        async with self.handles(2) as (here, there):
            log = await node.fill(here, LOBBY, 10, now)
            unsaved = await there.load(LOBBY)
            kept = await here.save(LOBBY, snapshot_at(log[6], state), rows(2, 5), now)
            saved = await there.load(LOBBY)
            log += await node.fill(there, LOBBY, 3, now)
            later = await here.load(LOBBY)
        snapshot = Snapshot(log[6].position, 1, state)
        assert kept is True
        assert unsaved == RoomRecord(None, log[:10], ())
        assert saved == RoomRecord(snapshot, log[7:10], rows(2, 5))
        assert later == RoomRecord(snapshot, log[7:], rows(2, 5))

    async def test_load_brings_the_newest_messages(self) -> None:
        now, node = wall(), Writer()
        window = self.limits.history_window
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, window + 20, now)
            given = rows(*range(1, window + 21))
            await store.save(LOBBY, snapshot_at(log[-1]), given, now)
            record = await store.load(LOBBY)
        assert record == RoomRecord(snapshot_at(log[-1]), (), given[-window:])

    async def test_a_position_that_is_not_in_the_log_is_refused(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 5, now)
            wrong = [
                Position(3, log[3].link),
                Position(3, log[3].link[:-1]),
                Position(6, log[4].link),
                Position(0, ""),
                Position(0, log[0].prev),
            ]
            kept = [
                await store.save(LOBBY, Snapshot(at, 1, b"state"), rows(1), now) for at in wrong
            ]
            record = await store.load(LOBBY)
            messages = await archived(store)
        assert kept == [False] * len(wrong)
        assert record == RoomRecord(None, log, ())
        assert messages == ()

    async def test_a_snapshot_that_is_not_newer_is_refused(self) -> None:
        now, node = wall(), Writer()
        async with self.handles(2) as (here, there):
            log = await node.fill(here, LOBBY, 9, now)
            first = await here.save(LOBBY, snapshot_at(log[4]), rows(2, 4), now)
            kept = [
                await there.save(LOBBY, snapshot_at(log[seq - 1], b"late"), rows(1, 2, 3), now)
                for seq in (5, 4, 1)
            ]
            record = await here.load(LOBBY)
        assert first is True
        assert kept == [False] * 3
        assert record == RoomRecord(snapshot_at(log[4]), log[5:], rows(2, 4))

    async def test_a_newer_format_is_never_saved_over(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 9, now)
            formats = [2, 2, 1, 3, 2]
            kept = [
                await store.save(LOBBY, snapshot_at(log[n], format=format), rows(n + 1), now)
                for n, format in enumerate(formats)
            ]
            record = await store.load(LOBBY)
        assert kept == [True, True, False, True, False]
        assert record == RoomRecord(snapshot_at(log[3], format=3), log[4:], rows(1, 2, 4))

    async def test_a_refused_save_trims_nothing(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 2 * self.limits.log_entries, now)
            forked = Snapshot(Position(log[-1].seq, "0" * 16), 1, b"state")
            late = now + 2 * self.limits.log_age_ms
            kept = await store.save(LOBBY, forked, (), late)
            left = await log_of(store, LOBBY)
        assert kept is False
        assert left == log

    async def test_messages_above_the_kept_snapshot_are_replaced(self) -> None:
        """Whatever an earlier save left there; it was not shown, and is gone."""
        now, node = wall(), Writer()
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 20, now)
            await store.save(LOBBY, snapshot_at(log[4]), rows(2, 4, 7, 12), now)
            first = await archived(store)
            await store.save(LOBBY, snapshot_at(log[9]), rows(6, 9), now)
            second = await archived(store)
            await store.save(LOBBY, snapshot_at(log[14]), (), now)
            third = await archived(store)
        assert first == rows(2, 4)
        assert second == rows(2, 4, 6, 9)
        assert third == rows(2, 4, 6, 9)

    async def test_older_messages_are_replaced_one_by_one(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 20, now)
            await store.save(LOBBY, snapshot_at(log[9]), rows(2, 4, 8), now)
            edited = (*rows(14), *rows(4, 6, body="edited"), *rows(12))
            await store.save(LOBBY, snapshot_at(log[19]), edited, now)
            messages = await archived(store)
            record = await store.load(LOBBY)
        assert messages == (*rows(2), *rows(4, 6, body="edited"), *rows(8, 12, 14))
        assert record.messages == messages

    async def test_saving_trims_the_log_by_count(self) -> None:
        now, node = wall(), Writer()
        kept = self.limits.log_entries
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, kept + 10, now)
            untrimmed = await log_of(store, LOBBY)
            await store.save(LOBBY, snapshot_at(log[3]), (), now)
            to_the_snapshot = await log_of(store, LOBBY)
            await store.save(LOBBY, snapshot_at(log[kept]), (), now)
            to_the_count = await log_of(store, LOBBY)
        assert untrimmed == log
        assert to_the_snapshot == log[3:]
        assert to_the_count == log[10:]

    async def test_saving_trims_the_log_by_age(self) -> None:
        now, node = wall(), Writer()
        late = now + self.limits.log_age_ms + MINUTE_MS
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 8, now)
            log += await node.fill(store, LOBBY, 8, late - MINUTE_MS)
            await store.save(LOBBY, snapshot_at(log[1]), (), now)
            young = await log_of(store, LOBBY)
            await store.save(LOBBY, snapshot_at(log[3]), (), late)
            to_the_snapshot = await log_of(store, LOBBY)
            await store.save(LOBBY, snapshot_at(log[11]), (), late)
            to_the_age = await log_of(store, LOBBY)
        assert young == log
        assert to_the_snapshot == log[3:]
        assert to_the_age == log[8:]

    async def test_a_log_trimmed_to_its_snapshot_goes_on(self) -> None:
        """The entry the snapshot stands at is kept: what follows is chained and timed from it."""
        now, node = wall(), Writer()
        old = now + 2 * self.limits.log_age_ms
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 5, now)
            await store.save(LOBBY, snapshot_at(log[-1]), rows(5), old)
            left = await store.read(LOBBY, 5, 10)
            (after,) = await node.write(store, LOBBY, b"a", now=now - 1)
            record = await store.load(LOBBY)
        assert (left.at, left.entries, left.first_seq) == (log[-1], (), 5)
        assert (after.seq, after.prev, after.at) == (6, log[-1].link, now)
        assert record == RoomRecord(snapshot_at(log[-1]), (after,), rows(5))
