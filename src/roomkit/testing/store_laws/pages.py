"""Pages of archived messages: before, after and around a seq, and what they say of the rest."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from roomkit.core.storage import After, Around, Before, MessagePage, MessageRow, PageQuery
from roomkit.stores.base import Store
from roomkit.testing.store_laws.base import StoreLaws
from roomkit.testing.store_laws.writing import LOBBY, Writer, rows, snapshot_at, wall

__all__ = ["PageLaws"]

MESSAGES = rows(2, 4, 6, 8, 10, 12, 14)
SNAPSHOT_SEQ = 15


def page(first: int, last: int, *, before: bool, after: bool) -> MessagePage:
    """The page of `MESSAGES` from seq `first` to seq `last`."""
    chosen = tuple(row for row in MESSAGES if first <= row.seq <= last)
    return MessagePage(chosen, SNAPSHOT_SEQ, before, after, complete=True)


def nothing(*, before: bool, after: bool) -> MessagePage:
    return MessagePage((), SNAPSHOT_SEQ, before, after, complete=True)


class PageLaws(StoreLaws):
    @asynccontextmanager
    async def archive(self) -> AsyncGenerator[Store]:
        """A room of 20 entries, saved at `SNAPSHOT_SEQ`, with `MESSAGES` archived."""
        now = wall()
        async with self.handle() as store:
            log = await Writer().fill(store, LOBBY, 20, now)
            assert await store.save(LOBBY, snapshot_at(log[SNAPSHOT_SEQ - 1]), MESSAGES, now)
            yield store

    async def check(self, answers: dict[tuple[PageQuery, int], MessagePage]) -> None:
        async with self.archive() as store:
            given = {asked: await store.page(LOBBY, *asked) for asked in answers}
        assert given == answers

    async def test_a_page_before_a_seq_has_the_newest_below_it(self) -> None:
        await self.check(
            {
                (Before(10), 2): page(6, 8, before=True, after=True),
                (Before(9), 2): page(6, 8, before=True, after=True),
                (Before(10), 4): page(2, 8, before=False, after=True),
                (Before(10), 50): page(2, 8, before=False, after=True),
                (Before(100), 3): page(10, 14, before=True, after=False),
                (Before(2), 3): nothing(before=False, after=True),
            }
        )

    async def test_a_page_after_a_seq_has_the_oldest_above_it(self) -> None:
        await self.check(
            {
                (After(6), 2): page(8, 10, before=True, after=True),
                (After(7), 2): page(8, 10, before=True, after=True),
                (After(6), 4): page(8, 14, before=True, after=False),
                (After(6), 50): page(8, 14, before=True, after=False),
                (After(0), 3): page(2, 6, before=False, after=True),
                (After(14), 3): nothing(before=True, after=False),
                (After(100), 3): nothing(before=True, after=False),
            }
        )

    async def test_a_page_around_a_seq_has_both_sides(self) -> None:
        await self.check(
            {
                (Around(8), 4): page(4, 10, before=True, after=True),
                (Around(8), 5): page(4, 12, before=True, after=True),
                (Around(7), 4): page(4, 10, before=True, after=True),
                (Around(8), 1): page(8, 8, before=True, after=True),
                (Around(2), 4): page(2, 4, before=False, after=True),
                (Around(14), 4): page(10, 14, before=True, after=False),
                (Around(8), 50): page(2, 14, before=False, after=False),
                (Around(100), 1): nothing(before=True, after=False),
            }
        )

    async def test_no_page_goes_past_the_snapshot(self) -> None:
        """A room has no archived messages before its first snapshot, and none past its last."""
        now, node = wall(), Writer()
        queries = (Before(100), After(0), Around(6))
        async with self.handle() as store:
            log = await node.fill(store, LOBBY, 20, now)
            unsaved = [await store.page(LOBBY, query, 50) for query in queries]
            given = rows(*range(1, 13))
            await store.save(LOBBY, snapshot_at(log[9]), given, now)
            saved = [await store.page(LOBBY, query, 50) for query in queries]
            beyond = await store.page(LOBBY, After(10), 50)
        assert unsaved == [MessagePage((), 0, False, False, True)] * 3
        assert saved == [MessagePage(given[:10], 10, False, False, True)] * 3
        assert beyond == MessagePage((), 10, True, False, True)

    async def test_walking_back_and_forth_meets_every_message_once(self) -> None:
        back: list[MessageRow] = []
        forth: list[MessageRow] = []
        async with self.archive() as store:
            found = await store.page(LOBBY, Before(SNAPSHOT_SEQ + 1), 3)
            back = [*found.rows]
            while found.has_before and len(back) <= len(MESSAGES):
                found = await store.page(LOBBY, Before(back[0].seq), 3)
                back = [*found.rows, *back]
            found = await store.page(LOBBY, After(0), 3)
            forth = [*found.rows]
            while found.has_after and len(forth) <= len(MESSAGES):
                found = await store.page(LOBBY, After(forth[-1].seq), 3)
                forth += found.rows
        assert back == [*MESSAGES]
        assert forth == [*MESSAGES]
