"""A database that is away, refuses us, hangs, or is not for this roomkit."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from roomkit.core.storage import Around, Before
from roomkit.errors import StoreError
from roomkit.stores.archive import SqlArchive
from roomkit.stores.redis import RedisStore
from roomkit.testing.store_laws.writing import LOBBY
from tests.stores.archive.rooms import backwards, bodies, opened
from tests.stores.archive.servers import PASSWORD, TestDatabase, database
from tests.stores.redis.deployments import Deployment
from tests.stores.redis.servers import free_port


@pytest.fixture
def own() -> Generator[TestDatabase]:
    """A database that a test may stop."""
    with database() as running:
        yield running


async def refusal(url: str, prefix: str = "roomkit") -> str:
    with pytest.raises(StoreError) as told:
        async with SqlArchive(url, prefix=prefix).open():
            pass
    return str(told.value)


async def test_a_database_that_is_away_at_start_is_told_of(server: Deployment) -> None:
    url = f"postgresql://alice:{PASSWORD}@127.0.0.1:{free_port()}/chat"
    with pytest.raises(StoreError, match=r"cannot be reached.* look whether it runs") as told:
        async with RedisStore(server.url, prefix="away", archive=SqlArchive(url)).open():
            pass
    assert PASSWORD not in str(told.value)


async def test_a_wrong_password_is_told_of_and_not_shown(postgres: TestDatabase) -> None:
    told = await refusal(postgres.url.replace(PASSWORD, "battery-staple"))
    assert "password authentication failed" in told
    assert "battery-staple" not in told


@pytest.mark.parametrize(
    "url", ["mysql://alice:hush@host/chat", "postgresql://alice:hu%zzsh@host/chat", "chat", ""]
)
def test_a_url_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError) as told:
        SqlArchive(url)
    assert str(told.value) == (
        "an archive's URL should be like postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    )
    assert told.value.__suppress_context__


def test_an_archive_does_not_show_its_password() -> None:
    archive = SqlArchive("postgresql://alice:hush@host/chat")
    assert "hush" not in repr(archive)


@pytest.mark.parametrize("prefix", ["", "a b", "a%b", 'a"b', "a" * 41, "é"])
def test_a_prefix_is_part_of_a_name(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix must be 1 to 40"):
        SqlArchive("postgresql://host/chat", prefix=prefix)


async def test_a_prefix_may_have_signs_in_it(postgres: TestDatabase) -> None:
    for _ in range(2):
        async with SqlArchive(postgres.url, prefix="My-chat:1'{}").open():
            pass


async def test_tables_of_a_newer_roomkit_are_left_alone(postgres: TestDatabase) -> None:
    async with SqlArchive(postgres.url, prefix="newer").open():
        pass
    postgres.ask("UPDATE newer_schema SET version = 2")
    assert "of version 2 and this roomkit knows version 1" in await refusal(postgres.url, "newer")


async def test_while_the_database_is_away_nothing_leaves_the_server(
    server: Deployment, own: TestDatabase
) -> None:
    async with opened(server, own) as room:
        await room.append(30)
        assert await room.save(10, room.rows(1, 10))
        own.stop()
        for _ in range(2):
            with pytest.raises(StoreError, match="archive's database cannot be reached"):
                await room.save(20, room.rows(11, 20))
        newest = await room.store.page(LOBBY, Before(2**53), 2)
        older = await room.store.page(LOBBY, Before(2**53), 6)
        around = await room.store.page(LOBBY, Around(4), 4)
        own.start()
        back = await backwards(room.store, 4)
        assert await room.save(20, room.rows(11, 20))
        after = await backwards(room.store, 4)
    assert (list(newest.rows), newest.has_before, newest.complete) == (room.rows(9, 10), True, True)
    assert (list(older.rows), older.has_before, older.complete) == (room.rows(8, 10), False, False)
    assert not around.complete
    assert back == room.rows(1, 10)
    assert after == room.rows(1, 20)


@pytest.mark.parametrize("server", ["valkey-alone"], indirect=True)
async def test_a_database_that_hangs_is_given_up(
    server: Deployment, postgres: TestDatabase
) -> None:
    async with opened(server, postgres) as room:
        await room.append(20)
        assert await room.save(10, room.rows(1, 10))
        with postgres.link() as link, link.transaction():
            link.execute(f"LOCK TABLE {room.prefix}_messages".encode())
            with pytest.raises(StoreError, match="not answered within 5 s"):
                await room.save(20, room.rows(11, 20))
            page = await room.store.page(LOBBY, Before(2**53), 6)
        assert (list(page.rows), page.complete) == (room.rows(8, 10), False)
        assert await room.save(20, room.rows(11, 20))
        assert await backwards(room.store, 4) == room.rows(1, 20)
        assert len(bodies(postgres, room.prefix)) == 20
