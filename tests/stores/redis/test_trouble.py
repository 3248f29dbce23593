"""A server that dies, stands still, forgets its scripts, is full, or is not fit to keep rooms."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec
import pytest

from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import (
    Entry,
    Failed,
    Hint,
    Interrupted,
    Nonce,
    Outcome,
    Stored,
    StoreFeed,
)
from roomkit.errors import StoreError
from roomkit.ids import NodeId, RoomId
from roomkit.stores.redis import RedisStore
from roomkit.stores.redis.servers import connect
from tests.runtime.scripted import eventually
from tests.stores.redis.servers import SERVERS, TestServer, serving

LOBBY = RoomId("lobby")
NOW = 1_700_000_000_000


@pytest.fixture(params=SERVERS)
def own(request: pytest.FixtureRequest) -> Generator[TestServer]:
    """A server that a test may kill."""
    with serving(request.param) as running:
        yield running


def said(counter: int, text: bytes = b"hello") -> Append:
    nonce = Nonce(NodeId("node"), counter)
    return Append(LOBBY, nonce, "", (FactItem(f"key-{counter}", text),), control=False)


async def stored(store: RedisStore, append: Append) -> list[Entry]:
    (outcome,) = await store.append([append], NOW)
    assert isinstance(outcome, Stored)
    return [item for item in outcome.items if isinstance(item, Entry)]


def only(outcome: Outcome) -> Entry:
    assert isinstance(outcome, Stored)
    (entry,) = outcome.items
    assert isinstance(entry, Entry)
    return entry


@asynccontextmanager
async def listening(store: RedisStore) -> AsyncGenerator[AsyncIterator[StoreFeed]]:
    async with store.feed() as feed:
        with anyio.fail_after(20):
            yield feed


async def until(feed: AsyncIterator[StoreFeed], kind: type) -> StoreFeed:
    async for item in feed:
        if isinstance(item, kind):
            return item
    raise AssertionError("the feed has ended")


async def test_what_was_acknowledged_is_there_after_the_server_was_killed(own: TestServer) -> None:
    store = RedisStore(own.url)
    async with store.open():
        for counter in range(1, 21):
            await stored(store, said(counter))
        own.stop()
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.append([said(21)], NOW)
        own.start()
        entries = (await store.read(LOBBY, 0, 100)).entries
        assert [entry.seq for entry in entries] == list(range(1, 21))
        (again,) = await store.append([said(20)], NOW)
        assert isinstance(again, Stored)
        assert again.items == (entries[-1],)
        assert [entry.seq for entry in await stored(store, said(21))] == [21]


async def test_a_feed_comes_back_after_the_server_was_killed_and_says_so(own: TestServer) -> None:
    store = RedisStore(own.url)
    other = store.another()
    async with store.open(), other.open(), listening(store) as feed:
        await store.follow(LOBBY)
        await stored(other, said(1))
        hint = await until(feed, Hint)
        assert isinstance(hint, Hint)
        assert [entry.seq for entry in hint.entries] == [1]
        own.stop()
        own.start()
        await until(feed, Interrupted)
        await stored(other, said(2))
        hint = await until(feed, Hint)
        assert isinstance(hint, Hint)
        assert [entry.seq for entry in hint.entries] == [2]


async def test_a_server_that_stands_still_holds_nobody_for_long(
    own: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisStore(own.url)
    async with store.open(), listening(store) as feed:
        await store.follow(LOBBY)
        await stored(store, said(1))
        own.pause()
        begun = anyio.current_time()
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.append([said(2)], NOW)
        assert anyio.current_time() - begun < 10
        await eventually(lambda: "has not been heard" in caplog.text, "the canary's silence")
        own.go_on()
        await until(feed, Interrupted)
        outcome = await stored(store, said(2))
        assert outcome == [] or outcome[0].seq == 2
        assert (await store.read(LOBBY, 0, 100)).tip.seq == 2


async def test_a_call_that_is_given_up_leaves_its_answer_to_nobody_else(own: TestServer) -> None:
    store = RedisStore(own.url)
    async with store.open():
        await stored(store, said(1))
        own.pause()
        with anyio.move_on_after(0.2) as given_up:
            await store.append([said(2)], NOW)
        assert given_up.cancelled_caught
        own.go_on()
        for counter in range(3, 9):
            (entry,) = await stored(store, said(counter, b"%d" % counter))
            assert entry.fact == b"%d" % counter
            assert (await store.tips([LOBBY]))[LOBBY].link == entry.link


async def test_what_cannot_be_sent_leaves_no_answer_behind(own: TestServer) -> None:
    servers = connect(own.url, None)
    async with servers.open():
        (server,) = await servers.all()
        commands: list[Any] = [("PING", str(number)) for number in range(100)]
        commands[0] = ("BLPOP", "nothing", 1)  # so that the answers come late
        commands[90] = ("PING", object())
        with pytest.raises(TypeError):
            await server.each(*commands)
        assert await server.each(("PING", "whole")) == [b"whole"]


async def test_many_rooms_at_once_get_an_answer_each(own: TestServer) -> None:
    store = RedisStore(own.url)
    rooms = [RoomId(f"room-{number}") for number in range(200)]
    async with store.open():
        first, second = (
            [msgspec.structs.replace(said(counter), room=room) for room in rooms]
            for counter in (1, 2)
        )
        assert {only(outcome).seq for outcome in await store.append(first, NOW)} == {1}
        entries = [only(outcome) for outcome in await store.append(second, NOW)]
        assert {entry.seq for entry in entries} == {2}
        own.say("SCRIPT FLUSH")
        assert [only(one) for one in await store.append(second, NOW)] == entries
        tips = await store.tips(rooms)
        assert [tips[room].link for room in rooms] == [entry.link for entry in entries]


async def test_a_script_the_server_has_forgotten_is_loaded_again(own: TestServer) -> None:
    store = RedisStore(own.url)
    async with store.open():
        await stored(store, said(1))
        own.say("SCRIPT FLUSH")
        appends = [said(2), said(3)]
        outcomes = await store.append(appends, NOW)
        assert [type(outcome) for outcome in outcomes] == [Stored, Stored]
        assert (await store.read(LOBBY, 0, 100)).tip.seq == 3


async def test_everything_gone_is_an_empty_log(own: TestServer) -> None:
    store = RedisStore(own.url)
    async with store.open():
        await stored(store, said(1))
        own.say("FLUSHALL")
        assert (await store.read(LOBBY, 0, 100)).tip.seq == 0
        assert (await store.tips([LOBBY])) == {}


async def test_a_full_server_refuses_and_loses_nothing(own: TestServer) -> None:
    store = RedisStore(own.url)
    async with store.open():
        await stored(store, said(1))
        own.say("CONFIG SET maxmemory 1mb")
        (outcome,) = await store.append([said(2)], NOW)
        assert isinstance(outcome, Failed)
        assert "maxmemory" in outcome.reason
        own.say("CONFIG SET maxmemory 0")
        assert [entry.seq for entry in await stored(store, said(3))] == [2]


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
async def test_a_server_that_forgets_to_make_room_is_refused(policy: str) -> None:
    refused = pytest.raises(StoreError, match="maxmemory-policy is " + policy)
    with serving("valkey", "--maxmemory-policy", policy) as server, refused:
        async with RedisStore(server.url).open():
            pass


async def test_a_wrong_password_says_where_to_look() -> None:
    with serving("valkey") as server:
        server.say("CONFIG SET requirepass secret")
        with pytest.raises(StoreError, match="look at the URL's user"):
            async with RedisStore(server.url).open():
                pass
        right = server.url.replace("//", "//:secret@")
        async with RedisStore(right).open():
            pass


async def test_nobody_there_is_said_at_once() -> None:
    with serving("valkey") as server:
        server.stop()
        with pytest.raises(StoreError, match="cannot be reached"):
            async with RedisStore(server.url).open():
                pass


@pytest.mark.parametrize("url", ["http://example.org", "localhost:6379"])
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="redis"):
        RedisStore(url)


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="messages must be 1 or more"):
        RedisStore("redis://localhost", messages=0)
    with pytest.raises(ValueError, match="prefix must be"):
        RedisStore("redis://localhost", prefix="a{b}")


def test_on_trio_it_says_what_to_use() -> None:
    async def main() -> None:
        async with RedisStore("redis://127.0.0.1:1").open():
            raise AssertionError("it opened")

    with pytest.raises(StoreError, match="runs on asyncio"):
        anyio.run(main, backend="trio")


async def test_fsync_is_promised_by_a_server_that_does_it() -> None:
    with serving("valkey") as server:
        async with RedisStore(server.url, durability="redis-fsync").open():
            pass
        server.say("CONFIG SET appendfsync everysec")
        with pytest.raises(StoreError, match="appendonly yes and appendfsync always"):
            async with RedisStore(server.url, durability="redis-fsync").open():
                pass


async def test_a_server_that_takes_over_without_fsync_is_complained_of(
    own: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisStore(own.url, durability="redis-fsync")
    async with store.open(), listening(store) as feed:
        await store.follow(LOBBY)
        await stored(store, said(1))
        await until(feed, Interrupted)
        own.stop()
        own.start("--appendfsync", "everysec")
        what = "may not mean redis-fsync any more"
        await eventually(lambda: what in caplog.text, "a complaint", 20)
