"""Reading: the log from any seq, tips and room names; and that looking leaves no trace."""

from __future__ import annotations

from roomkit.core.storage import (
    After,
    Around,
    Before,
    LogSlice,
    MessagePage,
    RoomRecord,
    Snapshot,
    Tip,
)
from roomkit.ids import NodeId, Position, RoomId
from roomkit.testing.store_laws.base import StoreLaws
from roomkit.testing.store_laws.writing import (
    LOBBY,
    Writer,
    log_of,
    rows,
    snapshot_at,
    wall,
)

__all__ = ["ReadingLaws"]

NOTHING = LogSlice(None, (), Tip(0, "", 0), 0)
NO_PAGE = MessagePage((), 0, has_before=False, has_after=False, complete=True)


class ReadingLaws(StoreLaws):
    async def test_read_gives_the_entries_after_a_seq(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 9, now)
            asked = [(0, 100), (0, 3), (4, 100), (4, 2), (8, 1), (9, 100), (12, 5)]
            slices = [await store.read(LOBBY, after, limit) for after, limit in asked]
        tip = Tip(9, log[8].link, 0)
        assert slices == [
            LogSlice(None, log, tip, 1),
            LogSlice(None, log[:3], tip, 1),
            LogSlice(log[3], log[4:], tip, 1),
            LogSlice(log[3], log[4:6], tip, 1),
            LogSlice(log[7], log[8:], tip, 1),
            LogSlice(log[8], (), tip, 1),
            LogSlice(None, (), tip, 1),
        ]

    async def test_what_was_trimmed_is_not_read(self) -> None:
        now, node = wall(), Writer()
        kept = self.limits.log_entries
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, kept + 10, now)
            assert await store.save(LOBBY, snapshot_at(log[-1]), (), now)
            slices = [await store.read(LOBBY, after, 2) for after in (0, 5, 10, 11)]
        tip = Tip(kept + 10, log[-1].link, kept + 10)
        assert slices == [
            LogSlice(None, log[10:12], tip, 11),
            LogSlice(None, log[10:12], tip, 11),
            LogSlice(None, log[10:12], tip, 11),
            LogSlice(log[10], log[11:13], tip, 11),
        ]

    async def test_every_handle_reads_at_once_what_one_appended(self) -> None:
        """Without following anything and without a feed: those are hints, the log is the truth."""
        now, node = wall(), Writer()
        async with self.handles(2) as (here, there):
            log = await node.fill(here, LOBBY, 3, now)
            seen = await there.read(LOBBY, 0, 10)
            log += await node.fill(there, LOBBY, 2, now)
            seen_back = await here.read(LOBBY, 3, 10)
        assert seen == LogSlice(None, log[:3], Tip(3, log[2].link, 0), 1)
        assert seen_back == LogSlice(log[2], log[3:], Tip(5, log[4].link, 0), 1)

    async def test_a_handle_opened_later_finds_everything(self) -> None:
        now, node = wall(), Writer()
        async with self.stores() as make:
            first = make()
            async with first.open():
                fence = await node.control(first, LOBBY, now)
                await first.save(LOBBY, snapshot_at(fence), rows(1), now)
                secret = await first.secret()
                before = await first.load(LOBBY)
            second = make()
            async with second.open():
                assert await second.load(LOBBY) == before
                assert await log_of(second, LOBBY) == (fence,)
                assert await second.secret() == secret
                await node.write(second, LOBBY, b"a", now=now, fence=fence.link)

    async def test_a_room_nobody_appended_to_is_empty(self) -> None:
        async with self.handle() as store:
            assert await store.read(LOBBY, 0, 10) == NOTHING
            assert await store.read(LOBBY, 7, 10) == NOTHING
            assert await store.load(LOBBY) == RoomRecord(None, (), ())
            assert await store.tips([LOBBY]) == {}
            for query in (Before(5), After(0), Around(3)):
                assert await store.page(LOBBY, query, 10) == NO_PAGE

    async def test_looking_creates_nothing(self) -> None:
        now = wall()
        async with self.handle() as store:
            await store.follow(LOBBY)
            await store.signal(LOBBY, b"typing")
            await store.read(LOBBY, 0, 10)
            await store.load(LOBBY)
            await store.page(LOBBY, Before(5), 10)
            await store.tips([LOBBY])
            await store.renew(NodeId("node-1"), 1_000)
            kept = await store.save(LOBBY, Snapshot(Position(1, "0" * 16), 1, b""), rows(1), now)
            await store.unfollow(LOBBY)
            rooms = await store.rooms(None, 10)
            tips = await store.tips([LOBBY])
        assert (kept, list(rooms), dict(tips)) == (False, [], {})

    async def test_tips_name_the_rooms_that_have_a_log(self) -> None:
        now, node, attic = wall(), Writer(), RoomId("attic")
        async with self.handle() as store:
            lobby = await node.fill(store, LOBBY, 3, now)
            await store.save(LOBBY, snapshot_at(lobby[1]), (), now)
            (only,) = await node.fill(store, attic, 1, now)
            await node.fill(store, RoomId("not asked about"), 1, now)
            tips = await store.tips([LOBBY, RoomId("nowhere"), attic])
            none = await store.tips([])
        assert dict(tips) == {LOBBY: Tip(3, lobby[2].link, 2), attic: Tip(1, only.link, 0)}
        assert dict(none) == {}

    async def test_rooms_are_listed_in_code_point_order(self) -> None:
        now, node = wall(), Writer()
        names = [
            RoomId(name) for name in ["b", "a", "Z", "10", "9", "_", "é", "é", "￮", "🦊", "aa"]
        ]
        async with self.handles(2) as (here, there):
            for name in names:
                await node.write(here, name, b"a", now=now)
            listed: list[RoomId] = []
            after: RoomId | None = None
            while page := await there.rooms(after, 3):
                assert len(page) <= 3
                listed += page
                after = listed[-1]
                assert len(listed) <= len(names)
            between = await there.rooms(RoomId("a0"), 2)
        assert listed == sorted(names)
        assert list(between) == [RoomId("aa"), RoomId("b")]
