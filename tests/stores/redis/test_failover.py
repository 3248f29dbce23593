"""Servers that die and are replaced: by sentinels, or by their cluster."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import anyio
import msgspec
import pytest

from roomkit import Hub
from roomkit.core.storage import Entry, Hint, Interrupted, Stored, Unknown
from roomkit.errors import StoreError
from roomkit.ids import RoomId
from roomkit.stores.redis import RedisStore
from tests.runtime.scripted import ScriptedTransport, eventually, join, served
from tests.stores.redis.deployments import Cluster, Watched, deployed
from tests.stores.redis.moving import move_slot
from tests.stores.redis.quick import QUICK, SECRET
from tests.stores.redis.servers import SERVERS
from tests.stores.redis.using import LOBBY, NOW, PATIENCE_S, hear, hear_seq, said, settle


@pytest.fixture(params=SERVERS)
def watched(request: pytest.FixtureRequest) -> Generator[Watched]:
    with deployed(f"{request.param}-watched") as running:
        assert isinstance(running, Watched)
        yield running


@pytest.fixture(params=SERVERS)
def cluster(request: pytest.FixtureRequest) -> Generator[Cluster]:
    with deployed(f"{request.param}-cluster") as running:
        assert isinstance(running, Cluster)
        yield running


async def test_sentinels_put_a_replica_in_the_place_of_a_dead_primary(watched: Watched) -> None:
    store = RedisStore(watched.url, durability="redis-replicated(1)")
    other = store.another()
    async with store.open(), other.open(), store.feed() as feed:
        await store.follow(LOBBY)
        entries = [await settle(other, said(counter)) for counter in range(1, 21)]
        await hear_seq(feed, 20)
        watched.primary().stop()
        entries.append(await settle(other, said(21)))
        await hear(feed, Interrupted)
        entries.append(await settle(other, said(22)))
        assert [entry.seq for entry in entries] == list(range(1, 23))
        assert (await store.read(LOBBY, 0, 100)).entries == tuple(entries)
        assert await settle(other, said(22)) == entries[-1]
        await settle(other, said(23))
        await hear_seq(feed, 23)


async def test_a_primary_of_a_cluster_dies_and_other_rooms_do_not_notice(cluster: Cluster) -> None:
    store = RedisStore(cluster.url)
    other = store.another()
    sure = RedisStore(cluster.url, durability="redis-replicated(1)")
    dying = cluster.primary_of(f"roomkit:{{#{LOBBY}}}:head")
    elsewhere = next(
        room
        for room in map(RoomId, map(str, range(100)))
        if cluster.primary_of(f"roomkit:{{#{room}}}:head") is not dying
    )
    async with store.open(), other.open(), sure.open(), store.feed() as feed:
        await store.follow(LOBBY)
        await store.follow(elsewhere)
        entries = [await settle(sure, said(counter)) for counter in range(1, 11)]
        await settle(other, said(1, elsewhere))
        assert store.lane(LOBBY) != store.lane(elsewhere)
        dying.stop()
        (outcome,) = await other.append([said(2, elsewhere)], NOW)
        assert isinstance(outcome, Stored)
        with pytest.raises(StoreError, match="cannot be reached"):
            await other.append([said(11)], NOW)
        entries.append(await settle(other, said(11)))
        assert [entry.seq for entry in entries] == list(range(1, 12))
        assert (await store.read(LOBBY, 0, 100)).entries == tuple(entries)
        await hear(feed, Interrupted)
        await store.follow(LOBBY)  # waits until it is heard again
        await settle(other, said(12))
        await hear_seq(feed, 12)


async def test_a_room_moves_to_another_server_and_every_append_lands_once(cluster: Cluster) -> None:
    store = RedisStore(cluster.url)
    other = store.another()
    key = f"roomkit:{{#{LOBBY}}}:head"
    source = cluster.primary_of(key)
    target = next(server for server in cluster.primaries if server is not source)
    slot = source.say(f"CLUSTER KEYSLOT {key}").strip(":\r\n")
    entries: list[Entry] = []
    done = anyio.Event()

    async def talk() -> None:
        while not done.is_set() or len(entries) % 100:
            entries.append(await settle(other, said(len(entries) + 1)))

    async with store.open(), other.open(), store.feed() as feed, anyio.create_task_group() as tasks:
        await store.follow(LOBBY)
        tasks.start_soon(talk)
        await hear_seq(feed, 50)
        await anyio.to_thread.run_sync(move_slot, slot, source, target, cluster)
        reached = len(entries)
        await hear(feed, Interrupted)
        while len(entries) < reached + 50:
            await hear(feed, Hint)
        # The slot of the channel by which the store sees that it hears the server moves as well.
        canary = target.say("PUBSUB SHARDCHANNELS roomkit:canary:*").split("\r\n")[2]
        slot_of_canary = target.say(f"CLUSTER KEYSLOT {canary}").strip(":\r\n")
        await anyio.to_thread.run_sync(move_slot, slot_of_canary, target, source, cluster)
        await hear(feed, Interrupted)
        reached = len(entries)
        while len(entries) < reached + 50:
            await hear(feed, Hint)
        done.set()
    async with store.open():
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        kept = (await store.read(LOBBY, 0, len(entries))).entries
        assert kept == tuple(entries)
    assert f"MOVED {slot}" in source.say(f"HGET {key} seq")


async def test_what_replicas_have_not_is_not_acknowledged(watched: Watched) -> None:
    store = RedisStore(watched.url, durability="redis-replicated(2)")
    _, first, second = watched.servers
    async with store.open():
        assert store.durability == "redis-replicated(2)"
        entry = await settle(store, said(1))
        first.pause()
        for _ in range(2):  # a repeat waits as well
            (outcome,) = await store.append([said(2)], NOW)
            assert outcome == Unknown("1 of 2 replicas have it so far")
        second.pause()
        (outcome,) = await store.append([said(2)], NOW)
        assert outcome == Unknown("0 of 2 replicas have it so far")
        first.go_on()
        second.go_on()
        later = await settle(store, said(2))
        assert (later.seq, later.prev) == (2, entry.link)


async def test_people_are_told_of_what_a_failover_has_lost(watched: Watched) -> None:
    """The same places come back with other messages: links tell (rule 5)."""
    alice = ScriptedTransport()
    store = RedisStore(watched.url, limits=QUICK)
    sure = RedisStore(watched.url, limits=QUICK, durability="redis-replicated(2)")
    hub = Hub(store=store, limits=QUICK, secret=SECRET)
    async with sure.open(), hub, served(hub, alice):
        await join(alice, "alice")
        alice.say("send_message", room="lobby", message="hello")
        await alice.data_of("new_message")
        await settle(sure, said(1, RoomId("attic")))  # what was written before it is there too
        for replica in watched.servers[1:]:
            replica.say("REPLICAOF 127.0.0.1 1")  # nobody is there: the link is cut
        alice.say("send_message", room="lobby", message="lost", ref="1")
        lost = await alice.data_of("ack")
        watched.servers[0].stop()
        await eventually(lambda: "room_gap" in alice.types(), "a gap", PATIENCE_S)
        gap = await alice.data_of("room_gap")
        assert gap["reason"] == "forked"
        await eventually(lambda: alice.types().count("room_joined") == 2, "a fresh snapshot")
        snapshot = [data for type, data in alice.frames() if type == "room_joined"][-1]
        messages = msgspec.convert(snapshot["messages"], list[dict[str, Any]])
        assert [one["message"] for one in messages] == ["hello"]
        alice.say("send_message", room="lobby", message="kept", ref="2", idempotency_key="k")
        await eventually(lambda: alice.types().count("new_message") == 2, "another", PATIENCE_S)
        assert (await store.read(LOBBY, 0, 100)).tip.link != lost["link"]


async def test_fewer_replicas_than_asked_for_are_refused(watched: Watched) -> None:
    refused = pytest.raises(StoreError, match="needs 3 replicas, and chat has 2: add some")
    with refused:
        async with RedisStore(watched.url, durability="redis-replicated(3)").open():
            pass


async def test_sentinels_that_know_no_such_service_say_so(watched: Watched) -> None:
    url = watched.url.replace("/chat/", "/nobody/")
    with pytest.raises(StoreError, match="No master found for 'nobody'"):
        async with RedisStore(url).open():
            pass
