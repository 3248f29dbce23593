"""What is kept for how long: messages by count and age, keys, and rooms nobody comes back to."""

from __future__ import annotations

from pathlib import Path

import pytest

from roomkit.core.storage import After, Before, MessagePage, PageQuery
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.stores import SqliteStore
from roomkit.testing.store_laws.writing import LOBBY, Writer, keyed, log_of, rows, snapshot_at
from tests.stores.sqlite.files import NOW, query

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ATTIC = RoomId("attic")


@pytest.fixture(autouse=True)
def sweeps_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """After every transaction, not once a second."""
    monkeypatch.setattr("roomkit.stores.sqlite.writer.SWEEP_S", 0)


async def seqs(store: SqliteStore) -> tuple[list[int], bool]:
    page = await store.page(LOBBY, After(0), 50)
    return [row.seq for row in page.rows], page.complete


async def test_everything_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    node, attic = Writer(), Writer("attic")
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        log = await node.fill(store, LOBBY, 30, NOW)
        await store.save(LOBBY, snapshot_at(log[-1]), rows(*range(1, 31)), NOW)
        for year in range(1, 4):
            await attic.write(store, ATTIC, b"a", now=NOW + year * 365 * DAY_MS)
        assert await seqs(store) == ([*range(1, 31)], True)


@pytest.mark.parametrize(
    ("query", "limit", "expected", "complete"),
    [
        (Before(100), 2, [9, 11], True),
        (Before(100), 3, [7, 9, 11], False),
        (Before(7), 3, [], False),
        (After(0), 2, [7, 9], False),
        (After(7), 2, [9, 11], True),
    ],
)
async def test_a_page_that_reaches_removed_messages_says_it_is_not_complete(
    tmp_path: Path, query: PageQuery, limit: int, expected: list[int], complete: bool
) -> None:
    async with (store := SqliteStore(tmp_path / "chat.db", messages=3)).open():
        log = await Writer().fill(store, LOBBY, 20, NOW)
        await store.save(LOBBY, snapshot_at(log[-1]), rows(1, 3, 5, 7, 9, 11), NOW)
        page = await store.page(LOBBY, query, limit)
    assert ([row.seq for row in page.rows], page.complete) == (expected, complete)


async def test_a_message_that_was_removed_does_not_come_back_when_it_is_edited(
    tmp_path: Path,
) -> None:
    async with (store := SqliteStore(tmp_path / "chat.db", messages=2)).open():
        log = await Writer().fill(store, LOBBY, 20, NOW)
        await store.save(LOBBY, snapshot_at(log[-1]), rows(1, 3, 5), NOW)
        (last,) = await Writer("other").write(store, LOBBY, b"edit", now=NOW)
        await store.save(LOBBY, snapshot_at(last), rows(1, 3, body="edited"), NOW)
        page = await store.page(LOBBY, After(0), 10)
    assert page == MessagePage((*rows(3, body="edited"), *rows(5)), last.seq, False, False, False)


async def test_messages_go_by_age_when_the_room_is_saved(tmp_path: Path) -> None:
    node = Writer()
    async with (store := SqliteStore(tmp_path / "chat.db", messages_age_ms=10 * DAY_MS)).open():
        log = await node.fill(store, LOBBY, 3, NOW)
        log += await node.fill(store, LOBBY, 3, NOW + 5 * DAY_MS)
        await store.save(LOBBY, snapshot_at(log[-1]), rows(*range(1, 7)), NOW + 5 * DAY_MS)
        assert await seqs(store) == ([1, 2, 3, 4, 5, 6], True)
        (last,) = await node.fill(store, LOBBY, 1, NOW + 10 * DAY_MS + 1)
        edited = rows(1, 5, 7, body="edited")
        await store.save(LOBBY, snapshot_at(last), edited, NOW + 10 * DAY_MS + 1)
        page = await store.page(LOBBY, After(0), 9)
    fifth, seventh = edited[1:]
    assert page.rows == (*rows(4), fifth, *rows(6), seventh)
    assert not page.complete


async def test_messages_of_a_quiet_room_go_by_age_too(tmp_path: Path) -> None:
    """A follower keeps the room; its messages are as old as anybody's."""
    store = SqliteStore(tmp_path / "chat.db", messages_age_ms=10 * DAY_MS)
    async with store.open():
        log = await Writer().fill(store, LOBBY, 3, NOW)
        await store.save(LOBBY, snapshot_at(log[-1]), rows(1, 2, 3), NOW)
        await store.follow(LOBBY)
        await Writer("late").write(store, ATTIC, b"a", now=NOW + 11 * DAY_MS)
        await store.renew(Writer().node, 1_000)
        assert await seqs(store) == ([], False)
        assert await store.rooms(None, 9) == [ATTIC, LOBBY]


async def test_a_room_that_holds_nothing_worth_keeping_is_dropped_after_a_week(
    tmp_path: Path,
) -> None:
    path, node = tmp_path / "chat.db", Writer()
    names = ("empty", "followed", "moderated", "talked-in", "unsaved")
    empty, followed, moderated, talked, unsaved = (RoomId(name) for name in names)
    async with (store := SqliteStore(path)).open():
        for room in (empty, followed, talked, unsaved):
            log = await node.write(store, room, b"came", b"left", now=NOW)
            if room != unsaved:
                said = rows(1) if room == talked else ()
                assert await store.save(room, snapshot_at(log[-1]), said, NOW)
        ban = await node.control(store, moderated, NOW)
        await store.save(moderated, snapshot_at(ban), (), NOW)
        await store.follow(followed)
        late = NOW + 7 * DAY_MS
        await node.write(store, ATTIC, b"a", now=late)
        await store.renew(node.node, 1_000)
        assert await store.rooms(None, 9) == [ATTIC, *sorted((*names,))]
        for _ in range(3):
            await node.write(store, ATTIC, b"a", now=late + 1)
        await store.renew(node.node, 1_000)
        assert await store.rooms(None, 9) == [ATTIC, followed, moderated, talked, unsaved]
        (anew,) = await node.write(store, empty, b"came", now=late + 1)
        await store.renew(node.node, 1_000)
        kept = await log_of(store, empty)
        # Asked of the writer, for when the store is left nobody follows any room.
        counts = await store._database.write(
            lambda work: [
                work.connection.execute(f"SELECT count(DISTINCT {column}) FROM {table}").fetchone()
                for table, column in (("entry", "room"), ("nonce", "room"), ("room", "id"))
            ]
        )
    assert anew.seq == 1
    assert kept == (anew,)
    assert counts == [(6,)] * 3


async def test_with_an_age_for_messages_old_rooms_go_altogether(tmp_path: Path) -> None:
    path, node = tmp_path / "chat.db", Writer()
    async with (store := SqliteStore(path, messages_age_ms=10 * DAY_MS)).open():
        ban = await node.control(store, LOBBY, NOW)
        await store.save(LOBBY, snapshot_at(ban), rows(1), NOW)
        await Writer("other").write(store, ATTIC, b"a", now=NOW + 10 * DAY_MS)
        await store.renew(node.node, 1_000)
        assert await store.rooms(None, 9) == [ATTIC, LOBBY]
        await Writer("other").write(store, ATTIC, b"a", now=NOW + 10 * DAY_MS + 1)
        await store.renew(node.node, 1_000)
        assert await store.rooms(None, 9) == [ATTIC]
        (anew,) = await node.write(store, LOBBY, b"a", now=NOW + 10 * DAY_MS + 1)
    assert (anew.seq, anew.prev == ban.link) == (1, False)
    assert query(path, "SELECT count(*) FROM message") == [(0,)]


async def test_a_room_from_the_future_does_not_keep_the_others_from_being_dropped(
    tmp_path: Path,
) -> None:
    node = Writer()
    async with (store := SqliteStore(tmp_path / "chat.db", messages_age_ms=DAY_MS)).open():
        await node.write(store, RoomId("future"), b"a", now=NOW + 1_000 * DAY_MS)
        await node.write(store, LOBBY, b"b", now=NOW + 900 * DAY_MS)
        await store.renew(node.node, 1_000)
        assert await store.rooms(None, 9) == [RoomId("future")]


async def test_keys_nobody_can_send_again_go_and_the_others_stay(tmp_path: Path) -> None:
    path, node = tmp_path / "chat.db", Writer()
    async with (store := SqliteStore(path, limits=Limits(idempotency_ms=HOUR_MS))).open():
        for number in range(50):
            facts = [keyed(f"k-{number}-{part}", b"a") for part in range(100)]
            await store.append([node.append(LOBBY, *facts)], NOW + number * HOUR_MS // 10)
        for _ in range(5):
            await store.renew(node.node, 1_000)
    assert query(path, "SELECT count(*) FROM key") == [(1_000,)]
