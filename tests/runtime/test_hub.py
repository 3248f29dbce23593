"""The hub as a host meets it: entered, used, left; and nothing of one in another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from roomkit import (
    Action,
    ErrorCode,
    Handshake,
    Hub,
    HubNotRunning,
    HubStats,
    Limits,
    MemoryStore,
    PostResult,
    Refused,
    StoreError,
    User,
    UserId,
)
from roomkit.core.storage import Entry, LogSlice
from roomkit.ids import RoomId
from tests.runtime.faulty_store import FaultyStore
from tests.runtime.scripted import ScriptedTransport, eventually, join, served

ALICE = User(UserId("u-alice"), "alice")
QUICK = Limits(close_ms=50, unanswered_ms=100)


# Talking to rooms without a socket


async def test_a_post_is_stored_when_it_returns() -> None:
    store = MemoryStore()
    async with Hub(store=store) as hub:
        posted = await hub.post("lobby", "hello", as_=ALICE, meta={"mood": "good"})
        log: LogSlice = await store.read(RoomId("lobby"), 0, 10)
        (entry,) = log.entries
        assert posted == PostResult(
            room=RoomId("lobby"),
            id=f"1-{entry.link}",  # type: ignore[arg-type]  # an id is a string
            seq=1,
            link=entry.link,
            at=entry.at,
            duplicate=False,
        )
        assert isinstance(entry, Entry)
        (message,) = (await hub.history("lobby")).messages
        assert (message.user_id, message.username, message.text) == ("u-alice", "alice", "hello")
        assert (message.meta, message.system) == ({"mood": "good"}, False)


async def test_a_post_in_nobodys_name_is_a_system_message() -> None:
    async with Hub() as hub:
        await hub.post("lobby", "the server restarts at noon")
        (message,) = (await hub.history("lobby")).messages
        assert message.system


async def test_posting_again_with_the_same_key_adds_nothing() -> None:
    async with Hub() as hub:
        first = await hub.post("lobby", "hello", as_=ALICE, idempotency_key="k")
        again = await hub.post("lobby", "hello", as_=ALICE, idempotency_key="k")
        assert (again.id, first.duplicate, again.duplicate) == (first.id, False, True)
        assert len((await hub.history("lobby")).messages) == 1


async def test_what_is_refused_raises_with_its_code() -> None:
    async with Hub() as hub:
        for call, code in (
            (hub.post("lobby", " "), ErrorCode.BAD_ARGUMENT),
            (hub.post("", "hello"), ErrorCode.BAD_ARGUMENT),
            (hub.kick("lobby", "nobody"), ErrorCode.NOT_FOUND),
            (hub.history("lobby", before=1, after=1), ErrorCode.BAD_ARGUMENT),
        ):
            with pytest.raises(Refused) as raised:
                await call
            assert raised.value.code is code


@pytest.mark.parametrize(
    ("text", "meta"),
    [
        ("a lone \ud800", None),
        ("hello", {"who": object()}),
        ("hello", {"much": 2**70}),
        ("hello", {"odd": "\udfff"}),
    ],
)
async def test_what_nobody_could_be_sent_is_refused_and_the_room_goes_on(
    text: str, meta: dict[str, object] | None
) -> None:
    async with Hub() as hub:
        with pytest.raises(Refused, match="cannot be sent as JSON") as refused:
            await hub.post("lobby", text, meta=meta)
        assert refused.value.code is ErrorCode.BAD_ARGUMENT
        assert (await hub.post("lobby", "hello")).seq == 1


async def test_what_a_host_does_to_its_meta_afterwards_changes_no_message() -> None:
    async with Hub() as hub:
        meta: dict[str, object] = {"mood": "good"}
        await hub.post("lobby", "hello", meta=meta)
        meta["mood"] = "bad"
        (message,) = (await hub.history("lobby")).messages
        assert message.meta == {"mood": "good"}


async def test_a_host_edits_and_deletes_what_anybody_wrote() -> None:
    async with Hub() as hub:
        posted = await hub.post("lobby", "helo", as_=ALICE)
        edited = await hub.edit("lobby", posted.id, "hello", by="u-bob", if_version=1)
        assert (edited.id, edited.version, edited.seq) == (posted.id, 2, 2)
        with pytest.raises(Refused) as conflict:
            await hub.edit("lobby", posted.id, "hullo", if_version=1)
        assert conflict.value.code is ErrorCode.VERSION_CONFLICT
        deleted = await hub.delete("lobby", posted.id, reason="off topic")
        assert (deleted.id, deleted.version, deleted.seq) == (posted.id, 3, 3)
        (message,) = (await hub.history("lobby")).messages
        assert (message.text, message.version, message.deleted) == ("", 3, deleted.at)


async def test_a_host_sees_and_kicks_whoever_is_there() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        user_id = await join(alice, "alice")
        users = await hub.users("lobby")
        assert [(one.user_id, one.username) for one in users.occupants] == [(user_id, "alice")]
        await hub.kick("lobby", user_id, reason="noise")
        left = await alice.data_of("room_left")
        assert (left["room"], left["reason"]) == ("lobby", "kicked")
        assert (await hub.users("lobby")).total == 0


async def test_rooms_are_listed_in_order_and_in_pages() -> None:
    async with Hub() as hub:
        for room in ("garden", "attic", "lobby"):
            await hub.post(room, "hello")
        assert await hub.rooms() == ["attic", "garden", "lobby"]
        assert await hub.rooms(after="attic", limit=1) == ["garden"]


async def test_a_request_whose_caller_is_cancelled_is_done_all_the_same() -> None:
    store = FaultyStore()
    gate = store.gates["append"] = anyio.Event()
    async with Hub(store=store) as hub:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hub.post, "lobby", "hello")
            await eventually(lambda: store.appends)
            tasks.cancel_scope.cancel()
        gate.set()
        await eventually(lambda: not store.running["append 0"])
        assert [message.text for message in (await hub.history("lobby")).messages] == ["hello"]


async def test_a_policy_is_asked() -> None:
    def only_garden(user: User, room: RoomId, action: Action) -> bool:
        return room == "garden"

    alice = ScriptedTransport()
    async with Hub(policy=only_garden) as hub, served(hub, alice):
        alice.say("join_room", room="lobby", username="alice")
        assert (await alice.data_of("error"))["room"] == "lobby"
        alice.say("join_room", room="garden", username="alice")
        assert (await alice.data_of("room_users"))["room"] == "garden"


async def test_identify_finds_guests_again_and_asks_the_hook() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        user_id = await join(alice, "alice")
        token = (await alice.data_of("welcome"))["guest_token"]
        assert isinstance(token, str)
        same = await hub.identify(Handshake({}, token=token))
        fresh = await hub.identify(Handshake({}))
        assert same == User(UserId(user_id), "", guest=True)
        assert fresh is not None
        assert fresh.user_id.startswith("guest-")
        assert fresh.user_id != user_id
    async with Hub(authenticate=lambda shake: ALICE if shake.token == "key" else None) as hub:
        assert await hub.identify(Handshake({}, token="key")) == ALICE
        assert await hub.identify(Handshake({})) is None


# Running


async def test_a_hub_that_is_not_entered_says_what_to_do() -> None:
    hub = Hub()

    async def watch() -> object:
        return hub.events("lobby")

    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: hub.serve(ScriptedTransport()),
        lambda: hub.post("lobby", "hello"),
        lambda: hub.kick("lobby", "u"),
        lambda: hub.users("lobby"),
        lambda: hub.history("lobby"),
        hub.rooms,
        lambda: hub.identify(Handshake({})),
        watch,
    ]
    for call in calls:
        with pytest.raises(HubNotRunning, match="use it inside `async with hub:`"):
            await call()
    assert hub.stats == HubStats(durability="memory")
    assert hub.durability == "memory"


async def test_a_running_hub_cannot_be_entered_again() -> None:
    async with Hub() as hub:
        with pytest.raises(HubNotRunning, match="runs already and cannot be entered twice"):
            await hub.__aenter__()
        await hub.post("lobby", "still running")


async def test_a_hub_that_was_left_can_be_entered_again() -> None:
    hub = Hub()
    async with hub:
        await hub.post("lobby", "hello")
    with pytest.raises(HubNotRunning):
        await hub.post("lobby", "hello?")
    async with hub:
        assert (await hub.post("lobby", "hello again")).seq == 2


async def test_a_hub_runs_from_when_it_is_entered_until_it_is_being_left() -> None:
    alice, hub = ScriptedTransport(), Hub()
    running = [hub.running]

    async def serve() -> None:
        await hub.serve(alice)
        running.append(hub.running)

    async with anyio.create_task_group() as tasks, hub:
        running.append(hub.running)
        tasks.start_soon(serve)
        await eventually(lambda: hub.stats.connections == 1)
    assert [*running, hub.running] == [False, True, False, False]


async def test_a_store_that_does_not_open_leaves_the_hub_as_it_was() -> None:
    class Unwilling(FaultyStore):
        willing = False

        @asynccontextmanager
        async def open(self) -> AsyncGenerator[None]:
            if not self.willing:
                raise StoreError("the file is locked: stop the other process")
            yield

    store = Unwilling()
    hub = Hub(store=store)
    with pytest.raises(StoreError, match="the file is locked"):
        async with hub:
            pass
    store.willing = True
    async with hub:
        await hub.post("lobby", "hello")


async def test_an_error_inside_the_hub_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError, match="mine"):
        async with Hub():
            raise LookupError("mine")


async def test_the_lifespan_runs_it() -> None:
    hub = Hub()
    async with hub.lifespan(object()):
        await hub.post("lobby", "hello")
    with pytest.raises(HubNotRunning):
        await hub.post("lobby", "hello")


async def test_two_hubs_do_not_see_each_other() -> None:
    first, second = ScriptedTransport(), ScriptedTransport()
    async with Hub() as one, Hub() as other, served(one, first), served(other, second):
        await join(first, "alice")
        await join(second, "bob")
        await one.post("lobby", "hello")
        await first.data_of("new_message")
        assert [user.username for user in (await one.users("lobby")).occupants] == ["alice"]
        assert [user.username for user in (await other.users("lobby")).occupants] == ["bob"]
        assert "new_message" not in second.types()
        assert (one.stats.connections, other.stats.connections) == (1, 1)


async def test_two_hubs_on_one_store_are_one_service() -> None:
    store = MemoryStore()
    first, second = ScriptedTransport(), ScriptedTransport()
    one, other = Hub(store=store), Hub(store=store.another())
    async with one, other, served(one, first), served(other, second):
        await join(first, "alice")
        await join(second, "bob")
        first.say("send_message", room="lobby", message="hello")
        assert (await second.data_of("new_message"))["message"] == "hello"


# Leaving


async def test_leaving_tells_everybody_to_come_back() -> None:
    alice, bob = ScriptedTransport(), ScriptedTransport()
    async with anyio.create_task_group() as tasks:
        async with Hub() as hub:
            tasks.start_soon(hub.serve, alice)
            tasks.start_soon(hub.serve, bob)
            await join(alice, "alice")
            bob.say("join_room", room="lobby", username="bob")
            await bob.data_of("room_users")
        assert alice.closed == bob.closed == (4000, "the server is stopping")
        assert (alice.types()[-1], "reconnect" in bob.types()) == ("reconnect", False)
        assert hub.stats.closes == {4000: 2}
        assert (hub.stats.connections, hub.stats.waiting_bytes) == (0, 0)


async def test_leaving_cuts_off_whoever_does_not_go() -> None:
    stuck = ScriptedTransport()
    async with anyio.create_task_group() as tasks, Hub(limits=QUICK) as hub:
        tasks.start_soon(hub.serve, stuck)
        await join(stuck, "stuck")
        stuck.stop_reading()
        stuck.refuse_to_close()
    assert stuck.aborted


async def test_leaving_waits_for_what_the_store_has_been_asked() -> None:
    store = FaultyStore()
    gate = store.gates["append"] = anyio.Event()
    async with anyio.create_task_group() as tasks, Hub(store=store) as hub:
        tasks.start_soon(hub.post, "lobby", "hello")
        await eventually(lambda: store.appends)
        tasks.start_soon(_set_when, gate, lambda: hub.stats.closes == {4000: 1})
        tasks.start_soon(hub.serve, ScriptedTransport())
        await eventually(lambda: hub.stats.connections == 1)
    log = await store.store.read(RoomId("lobby"), 0, 10)
    assert len(log.entries) == 1


async def _set_when(gate: anyio.Event, condition: Callable[[], bool]) -> None:
    await eventually(condition)
    gate.set()


async def test_leaving_does_not_wait_for_ever_for_a_store() -> None:
    store = FaultyStore()
    store.gates["append"] = anyio.Event()
    with anyio.fail_after(10):
        limits = Limits(close_ms=20)
        async with anyio.create_task_group() as tasks, Hub(store=store, limits=limits) as hub:
            tasks.start_soon(_unanswered, hub.post("lobby", "hello"))
            await eventually(lambda: store.appends)


async def _unanswered(call: Awaitable[object]) -> None:
    with pytest.raises(HubNotRunning, match="left before this was answered"):
        await call


async def test_leaving_is_not_cut_short_by_cancellation() -> None:
    alice = ScriptedTransport()
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            async with Hub() as hub:
                tasks.start_soon(hub.serve, alice)
                await join(alice, "alice")
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert alice.closed == (4000, "the server is stopping")


# Trouble with the store


async def test_a_store_that_fails_an_append_gets_it_again() -> None:
    store = FaultyStore()
    store.trouble["append"] = OSError("gone")
    async with Hub(store=store) as hub:
        results: list[PostResult] = []

        async def post() -> None:
            results.append(await hub.post("lobby", "hello"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(post)
            await eventually(lambda: len(store.appends) >= 2)
            store.trouble.clear()
        assert [(result.seq, result.duplicate) for result in results] == [(1, False)]


async def test_a_store_that_hangs_makes_a_post_unavailable_and_then_serves_again() -> None:
    store = FaultyStore()
    store.gates["append"] = anyio.Event()
    async with Hub(store=store, limits=Limits(unanswered_ms=200)) as hub:
        with pytest.raises(Refused) as raised:
            await hub.post("lobby", "hello")
        assert raised.value.code is ErrorCode.UNAVAILABLE
        store.gates.clear()
        assert (await hub.post("lobby", "hello again")).seq == 2


async def test_a_feed_that_fails_is_opened_again() -> None:
    store = FaultyStore()
    async with Hub(store=store, limits=Limits(retry_base_ms=1)) as hub:
        await eventually(lambda: store.feeds == 1)
        ended, store.feed_ends = store.feed_ends, anyio.Event()
        ended.set()
        await eventually(lambda: store.feeds == 2)
        assert (await hub.post("lobby", "hello")).seq == 1
