"""What the archive holds and pages show when saves are cut short, overtaken, late or forked."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from roomkit.core.storage import Around, Before, MessageRow, Snapshot
from roomkit.errors import StoreError
from roomkit.ids import Position, RoomId
from roomkit.stores.archive import SqlArchive
from roomkit.stores.archive.archive import Given
from roomkit.stores.redis import RedisStore
from roomkit.testing.store_laws.writing import LOBBY, Writer, snapshot_at
from tests.stores.archive.rooms import NOW, backwards, bodies, copied, forwards, opened, put_back
from tests.stores.archive.servers import TestDatabase
from tests.stores.redis.deployments import Deployment


@pytest.mark.parametrize("server", ["valkey-alone"], indirect=True)
async def test_fifty_thousand_messages_are_paged_back_to_the_first(
    server: Deployment, postgres: TestDatabase
) -> None:
    """The server keeps a thousand; now and then an old message is edited or deleted."""
    many, every = 50_000, 250
    truth: dict[int, MessageRow] = {}
    async with opened(server, postgres, messages=1_000) as room:
        for end in range(every, many + 1, every):
            await room.append(every)
            changed = {row.seq: row for row in room.rows(end - every + 1, end)}
            for old, word in ((end // 2, b"edited"), (end // 3, b"deleted")):
                changed[old] = MessageRow(old, word + b" at %d" % end)
            truth |= changed
            assert await room.save(end, [*changed.values()])
        kept = await room.store.page(LOBBY, Before(2**53), 2)
        found = await backwards(room.store, 200)
        again = await forwards(room.store, 190)
        middle = await room.store.page(LOBBY, Around(25_000), 10)
        bare = RedisStore(server.url, messages=1_000, prefix=room.prefix)
        async with bare.open():
            left = await bare.page(LOBBY, Before(2**53), 10_000)
    expected = [truth[seq] for seq in sorted(truth)]
    assert len(expected) == many
    assert found == expected
    assert again == expected
    assert kept.rows == tuple(expected[-2:])
    assert middle.rows == tuple(expected[24_994:25_004])
    assert list(left.rows) == expected[-1_000:]
    assert (left.has_before, left.complete) == (False, False)  # where there is no archive


async def test_a_save_cut_short_is_hidden_and_then_healed(
    server: Deployment, postgres: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node ends after the database has it, and before the server does."""

    async def end(*_: object) -> int:
        raise StoreError("the node is gone")

    async with opened(server, postgres) as room:
        await room.append(20)
        assert await room.save(10, room.rows(1, 10))
        with monkeypatch.context() as cut:
            cut.setattr(room.store, "_save", end)
            with pytest.raises(StoreError, match="gone"):
                await room.save(20, room.rows(11, 20))
        assert len(bodies(postgres, room.prefix)) == 20
        between = await backwards(room.store, 4)
        other = room.store.another()
        async with other.open():  # not the same save: 13 is deleted for good, and 15 edited
            rows = [row for row in room.rows(11, 18) if row.seq != 13]
            rows[3] = MessageRow(15, b"edited")
            assert await room.save(18, rows, by=other)
            healed = await backwards(other, 4)
        assert between == room.rows(1, 10)
        assert healed == [*room.rows(1, 10), *rows]
        assert [(row.seq, row.body) for row in healed] == bodies(postgres, room.prefix)


async def test_of_two_nodes_that_save_at_once_both_forms_end_in_order(
    server: Deployment, postgres: TestDatabase
) -> None:
    """The later snapshot's rows win, whichever node comes first; nothing between is missing."""
    async with opened(server, postgres) as room:
        others = [room.store.another() for _ in range(3)]
        async with others[0].open(), others[1].open(), others[2].open():
            expected: list[MessageRow] = []
            for base in range(0, 200, 20):
                await room.append(20)
                edited = MessageRow(base + 5, b"edited at %d" % (base + 15))

                async def save(seq: int, by: RedisStore, base: int = base) -> None:
                    rows = room.rows(base + 1, seq)
                    if seq >= base + 15:
                        rows[4] = MessageRow(base + 5, b"edited at %d" % (base + 15))
                    until = anyio.current_time() + 20
                    while anyio.current_time() < until:  # as the engine does
                        try:
                            await room.save(seq, rows, by=by)
                        except StoreError:
                            await anyio.sleep(0.01)
                        else:
                            return
                    raise TimeoutError(f"{seq} is never saved")

                async with anyio.create_task_group() as tasks:
                    for seq, by in zip((12, 16, 20), others, strict=True):
                        tasks.start_soon(save, base + seq, by)
                expected = room.rows(1, base + 20)
                for at in range(4, base + 20, 20):
                    expected[at] = MessageRow(at + 1, b"edited at %d" % (at + 11))
                assert expected[base + 4] == edited
                assert await backwards(room.store, 7) == expected
        assert bodies(postgres, room.prefix) == [(row.seq, row.body) for row in expected]


async def test_a_claim_is_good_until_the_next(
    server: Deployment, postgres: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node stands still between the archive and the server while another one saves less."""
    async with opened(server, postgres) as room:
        other = room.store.another()
        async with other.open():
            await room.append(20)
            finish = room.store._save  # where a node may stand still
            stood: list[int] = []

            async def stand(*given: Any) -> int:
                if not stood:
                    await room.save(8, room.rows(1, 8), by=other)
                    assert len(bodies(postgres, room.prefix)) == 8
                stood.append(await finish(*given))
                return stood[-1]

            monkeypatch.setattr(room.store, "_save", stand)
            assert await room.save(20, room.rows(1, 20))
            assert stood == [2, 1]
            assert await backwards(room.store, 4) == room.rows(1, 20)
            assert len(bodies(postgres, room.prefix)) == 20


async def test_what_an_overtaken_node_writes_late_is_not_written(
    server: Deployment, postgres: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node stands still before the archive; another has written there, and is about to save."""
    async with opened(server, postgres) as room:
        other = room.store.another()
        async with other.open():
            await room.append(20)
            late = SqlArchive.write
            wrote: list[bool] = []

            async def stand(archive: SqlArchive, name: RoomId, token: str, given: Given) -> bool:
                if wrote:
                    return await late(archive, name, token, given)
                wrote.append(True)
                finish = other._save  # where the other is stopped in its turn

                async def after(*rest: Any) -> int:
                    wrote.append(await late(archive, name, token, given))
                    return await finish(*rest)

                with monkeypatch.context() as held:
                    held.setattr(other, "_save", after)
                    assert await room.save(20, room.rows(1, 20), by=other)
                return wrote[-1]

            monkeypatch.setattr(SqlArchive, "write", stand)
            assert not await room.save(12, room.rows(1, 12))
            assert wrote == [True, False]
            assert await backwards(room.store, 4) == room.rows(1, 20)


async def test_a_refused_save_leaves_the_archive_alone(
    server: Deployment, postgres: TestDatabase
) -> None:
    """Late, of a fork, or of an older format than the kept one."""
    async with opened(server, postgres) as room:
        await room.append(20)
        newer = snapshot_at(room.log[9], format=2)
        assert await room.store.save(LOBBY, newer, room.rows(1, 10), NOW)
        before = bodies(postgres, room.prefix)
        wrong = [MessageRow(seq, b"wrong") for seq in range(1, 21)]
        forked = Writer("fork")
        alien = await forked.fill(room.store, LOBBY, 1, NOW)
        assert not await room.save(8, wrong)
        assert not await room.save(20, wrong)  # format 1
        lie = Snapshot(Position(12, alien[0].link), 2, b"")
        assert not await room.store.save(LOBBY, lie, wrong, NOW)
        assert bodies(postgres, room.prefix) == before


async def test_a_server_that_went_back_takes_the_archive_with_it(
    server: Deployment, postgres: TestDatabase
) -> None:
    """What only the lost part of the log had is shown nowhere, and set aside."""
    async with opened(server, postgres) as room:
        await room.append(10)
        assert await room.save(10, room.rows(1, 10))
        before = copied(server, room.prefix)
        await room.append(10)
        lost = [*room.rows(11, 20), MessageRow(9, b"an edit that is lost")]
        assert await room.save(20, lost)
        put_back(server, room.prefix, before)
        del room.log[10:]
        went_back = await backwards(room.store, 4)
        await room.append(6)
        again = [MessageRow(seq, b"again %d" % seq) for seq in range(11, 17)]
        assert await room.save(16, again)
        assert went_back == room.rows(1, 10)
        assert await backwards(room.store, 4) == [*room.rows(1, 10), *again]
        assert [row for row in bodies(postgres, room.prefix, "former") if row[0] != 9] == [
            (row.seq, row.body) for row in lost if row.seq > 10
        ]


async def test_a_server_that_was_emptied_does_not_take_the_archive_away(
    server: Deployment, postgres: TestDatabase
) -> None:
    """A room that begins anew is shown from there; what was archived is set aside, not deleted."""
    async with opened(server, postgres) as room:
        await room.append(10)
        assert await room.save(10, room.rows(1, 10))
        before = room.rows(1, 10)
        put_back(server, room.prefix, {})
        room.log.clear()
        anew = room.store.another()
        async with anew.open():
            room.store = anew
            await room.append(6)
            rows = [MessageRow(seq, b"new %d" % seq) for seq in range(1, 7)]
            assert await room.save(6, rows)
            assert await backwards(anew, 4) == rows
        assert bodies(postgres, room.prefix, "former") == [(row.seq, row.body) for row in before]


async def test_an_archive_given_later_takes_what_there_is(
    server: Deployment, postgres: TestDatabase
) -> None:
    """And does not pretend to have what the server had removed before."""
    for most, whole in ((None, True), (6, False)):
        async with opened(server, postgres) as room:
            bare = RedisStore(server.url, messages=most, prefix=room.prefix)
            async with bare.open():
                await room.append(20)
                assert await room.save(10, room.rows(1, 10), by=bare)
            assert await room.save(20, room.rows(11, 20))
            first = 1 if whole else 5
            page = await room.store.page(LOBBY, Before(2**53), 50)
            assert list(page.rows) == room.rows(first, 20)
            assert (page.has_before, page.complete) == (False, whole)


async def test_an_old_message_that_changes_changes_in_the_archive_alone(
    server: Deployment, postgres: TestDatabase
) -> None:
    """Also when the server has room for it: between it and the others there would be none."""
    async with opened(server, postgres, messages=3) as room:
        await room.append(22)
        assert await room.save(20, room.rows(1, 20))
        async with opened(server, postgres, messages=9, prefix=room.prefix) as roomy:
            changed = MessageRow(4, b"edited")
            assert await room.save(22, [changed, *room.rows(21, 22)], by=roomy.store)
            expected = [*room.rows(1, 3), changed, *room.rows(5, 22)]
            assert await backwards(roomy.store, 6) == expected


async def test_nodes_may_come_first_together(server: Deployment, postgres: TestDatabase) -> None:
    prefix = "together"

    async def use() -> None:
        async with SqlArchive(postgres.url, prefix=prefix).open():
            pass

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(use)
    assert postgres.ask(f"SELECT version FROM {prefix}_schema") == [(1,)]
