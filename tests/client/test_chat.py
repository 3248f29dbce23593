"""The client talks to a real server on a real port, over cuts and restarts, on both loops."""

from __future__ import annotations

import ssl
import subprocess
import sys

import anyio
import anyio.lowlevel
import pytest
import trustme

from roomkit import CloseCode, ErrorCode, Limits, Refused, RoomId, UserId
from roomkit.client import (
    Chat,
    ChatStopped,
    Event,
    MessageNotSent,
    ReaderTooSlow,
    Room,
    connect,
)
from roomkit.client.chat import Chat as ChatItself
from roomkit.client.events import BUFFERED_EVENTS, RoomEvents
from tests.client.cable import served

pytestmark = pytest.mark.socket

SECONDS = 15.0


def texts(room: Room) -> list[str]:
    return [message["message"] for message in room.messages]


async def reach(chat: Chat, room: Room, *expected: str) -> None:
    """Wait until these are the messages of a room."""
    with anyio.fail_after(SECONDS):
        await chat.until(lambda: texts(room) == list(expected))


async def at_least(chat: Chat, room: Room, count: int) -> None:
    """Wait until a room has so many messages."""
    with anyio.fail_after(SECONDS):
        await chat.until(lambda: len(room.messages) >= count)


async def test_two_people_talk() -> None:
    async with served() as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("general")
        posted = await room.send("hello", meta={"mood": "curious"})
        assert posted["message"] == "hello"
        assert posted["username"] == "alice"
        assert alice.user is not None
        assert posted.get("user_id") == alice.user["user_id"]
        async with connect(cable.url, username="bob") as bob:
            async with bob.room("general").events() as events:
                await bob.room("general").joined()
                assert texts(bob.room("general")) == ["hello"]
                await room.send("hello bob")
                with anyio.fail_after(SECONDS):
                    async for event in events:
                        if event.type == "new_message":
                            break
                assert event.data["message"] == "hello bob"
            assert {one["username"] for one in room.occupants} == {"alice", "bob"}
        with anyio.fail_after(SECONDS):
            await alice.until(lambda: len(room.occupants) == 1)


async def test_messages_are_posted_once_and_in_order_over_cuts() -> None:
    async with served() as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("general")
        await room.joined()

        async def talk() -> None:
            for number in range(9):
                await room.send(str(number))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(talk)
            for number in range(3, 9, 3):
                await at_least(alice, room, number)
                cable.cut()
        await reach(alice, room, *"012345678")
        assert room.view.pending == ()
        history = await cable.hub.history(RoomId("general"))
        assert [message.text for message in history.messages] == list("012345678")


async def test_what_was_missed_while_away_is_there_after_a_restart() -> None:
    async with served() as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("general")
        await room.send("before")
        cable.unplug()
        await cable.stop()
        await cable.start()
        cable.plug()
        alice.hint()
        await room.send("after")
        await reach(alice, room, "before", "after")
        assert room.view.recovered is True


async def test_messages_wait_in_the_outbox_while_there_is_no_server() -> None:
    async with served() as cable:
        cable.unplug()
        async with (
            connect(cable.url, username="alice") as alice,
            anyio.create_task_group() as tasks,
        ):
            room = alice.room("general")
            for text in ("one", "two"):
                tasks.start_soon(room.send, text)
            with anyio.fail_after(SECONDS):
                await alice.until(lambda: len(room.view.pending) == 2)
            assert {pending.state for pending in room.view.pending} == {"sending"}
            assert room.messages == ()
            cable.plug()
            alice.hint()
            with anyio.fail_after(SECONDS):
                await alice.until(lambda: len(room.messages) == 2)
            assert room.view.pending == ()


async def test_a_message_that_waits_too_long_is_given_up() -> None:
    limits = Limits(idempotency_ms=400)
    async with served(limits) as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("general")
        await room.joined()
        cable.unplug()
        with pytest.raises(MessageNotSent, match="expired"):
            await room.send("too late")
        assert [pending.state for pending in room.view.pending] == ["failed"]
        room.discard(room.view.pending[0].key)
        assert room.view.pending == ()


async def test_cancelling_takes_a_message_back_that_was_never_sent() -> None:
    async with served() as cable:
        cable.unplug()
        async with connect(cable.url, username="alice") as alice:
            room = alice.room("general")
            with anyio.move_on_after(0.05):
                await room.send("taken back")
            assert room.view.pending == ()


async def test_cancelling_cannot_take_back_what_may_be_on_its_way() -> None:
    async with served() as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("general")
        await room.joined()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(room.send, "on its way")
            with anyio.fail_after(SECONDS):
                await alice.until(lambda: room.view.pending != ())
            tasks.cancel_scope.cancel()
        await reach(alice, room, "on its way")


async def test_edits_deletes_history_users_and_signals() -> None:
    async with served() as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("general", history=1)
        posted = [await room.send(text) for text in ("one", "two", "three")]
        assert await room.edit(posted[0]["id"], "one, edited", if_version=1) == 2
        with pytest.raises(Refused, match="version_conflict"):
            await room.edit(posted[0]["id"], "too late", if_version=1)
        await room.delete(posted[1]["id"], reason="a slip")
        await reach(alice, room, "one, edited", "", "three")
        async with connect(cable.url, username="bob") as bob:
            general = bob.room("general", history=1)
            await general.joined()
            assert texts(general) == ["three"]
            page = await general.history(limit=1)
            assert [message["message"] for message in page.messages] == [""]
            await general.history()
            assert texts(general) == ["one, edited", "", "three"]
            people = await general.users()
            assert {one["username"] for one in people.occupants} == {"alice", "bob"}
            async with room.events() as events:
                await general.signal("wave", {"to": "alice"})
                with anyio.fail_after(SECONDS):
                    async for event in events:
                        if event.type == "signal":
                            break
                assert event.data["payload"] == {"to": "alice"}


async def test_typing_is_seen_and_ends() -> None:
    async with (
        served() as cable,
        connect(cable.url, username="alice") as alice,
        connect(cable.url, username="bob") as bob,
    ):
        general = alice.room("general")
        await general.joined()
        theirs = bob.room("general")
        await theirs.joined()
        theirs.start_typing()
        with anyio.fail_after(SECONDS):
            await alice.until(lambda: general.typing.users == ("bob",))
        theirs.stop_typing()
        with anyio.fail_after(SECONDS):
            await alice.until(lambda: general.typing.total == 0)


async def test_a_refusal_is_raised_and_a_refused_room_ends_its_readers() -> None:
    async with (
        served() as cable,
        connect(cable.url, username="alice") as alice,
        connect(cable.url, username="alice") as twin,
    ):
        await alice.room("general").joined()
        with pytest.raises(Refused) as refused:
            await twin.room("general").joined()
        assert refused.value.code is ErrorCode.USERNAME_TAKEN
        with pytest.raises(Refused):
            await twin.room("other").send(" ")
        with pytest.raises(Refused, match="username_taken"):
            async for _ in twin.room("general"):
                pass


async def test_who_is_put_out_stops_reading_and_may_come_again() -> None:
    async with served() as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("general")
        await room.joined()
        assert alice.user is not None
        seen: list[str] = []
        events = room.events()
        await cable.hub.kick(RoomId("general"), UserId(alice.user["user_id"]))
        with anyio.fail_after(SECONDS):
            seen += [event.type async for event in events]
        assert seen[-1] == "room_left"
        assert room.state == "left"
        assert (await alice.room("general").joined()).state == "joined"


async def test_leaving_ends_the_readers() -> None:
    async with served() as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("general")
        await room.joined()
        events = room.events()
        await room.leave()
        assert [event async for event in events] == []


async def test_identity_brings_the_same_guest_back() -> None:
    async with served() as cable:
        async with connect(cable.url, username="alice") as alice:
            await alice.online()
            user, identity = alice.user, alice.identity
        again = connect(cable.url, username="alice", token=identity.token, session=identity.session)
        async with again as alice:
            await alice.online()
            assert alice.user == user


async def test_a_token_is_fetched_before_each_connection() -> None:
    fetched: list[str] = []

    async def fetch() -> str:
        fetched.append(f"token-{len(fetched)}")
        return fetched[-1]

    async with served() as cable, connect(cable.url, username="alice", token=fetch) as alice:
        await alice.online()
        cable.cut()
        with anyio.fail_after(SECONDS):
            await alice.until(lambda: alice.state != "online")
            await alice.until(lambda: alice.state == "online")
        assert fetched == ["token-0", "token-1"]


async def test_states_are_told() -> None:
    async with served() as cable:
        seen: list[str] = []

        async def watch(chat: Chat) -> None:
            async for state in chat.states():
                seen.append(state)  # noqa: PERF401 - looked at while it goes on

        async with (
            anyio.create_task_group() as tasks,
            connect(cable.url, username="alice") as alice,
        ):
            assert alice.state == "connecting"
            tasks.start_soon(watch, alice)
            await alice.online()
            with anyio.fail_after(SECONDS):
                while "online" not in seen:
                    await anyio.lowlevel.checkpoint()
        assert seen[-2:] == ["online", "stopped"]


async def test_after_leaving_everything_asked_says_that_it_has_stopped() -> None:
    async with served() as cable:
        async with connect(cable.url, username="alice") as alice:
            room = alice.room("general")
            await room.joined()
        assert alice.state == "stopped"
        for asking in (room.send("too late"), room.edit("1-x", "too late"), room.history()):
            with pytest.raises(ChatStopped, match="stopped"):
                await asking


async def test_a_server_that_refuses_us_for_good_ends_everything() -> None:
    limits = Limits(connections_per_user=1)
    async with served(limits) as cable, connect(cable.url, username="alice") as alice:
        await alice.room("general").joined()
        token = alice.identity.token
        async with connect(cable.url, username="alice", token=token) as second:
            with pytest.raises(ChatStopped) as stopped:
                async for _ in second.room("general"):
                    pass
            assert stopped.value.code == CloseCode.CONNECTION_LIMIT.name.lower()
            assert second.state == "stopped"


async def test_an_error_in_the_block_comes_out_as_it_was() -> None:
    async def fail(url: str) -> None:
        async with connect(url, username="alice") as alice:
            await alice.online()
            raise KeyError("mine")

    async with served() as cable:
        with pytest.raises(KeyError, match="mine"):
            await fail(cable.url)


async def test_leaving_is_prompt_while_there_is_no_server() -> None:
    with anyio.fail_after(5):
        async with connect("ws://127.0.0.1:9/ws", username="alice") as alice:
            alice.room("general")
            await alice.until(lambda: alice.state == "offline")


async def test_wss_is_spoken_with_whom_the_context_trusts() -> None:
    authority = trustme.CA()
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(here)
    there = ssl.create_default_context()
    authority.configure_trust(there)
    async with served(tls=here) as cable:
        async with connect(cable.url, username="alice", tls=there) as alice:
            assert (await alice.room("general").send("hello"))["message"] == "hello"
        async with connect(cable.url, username="alice") as stranger:
            with anyio.fail_after(SECONDS):
                await stranger.until(lambda: stranger.state == "offline")
            assert stranger.user is None


async def test_a_url_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="write ws://host/path"):
        async with connect("http://localhost/ws"):
            pass


async def test_a_reader_that_is_too_slow_is_told_after_what_it_can_have() -> None:
    events = RoomEvents()
    for number in range(BUFFERED_EVENTS + 1):
        events.offer(Event("general", "new_message", {"number": number}))
    seen: list[object] = []

    async def read() -> None:
        async for event in events:
            seen.append(event.data["number"])  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ReaderTooSlow, match="1024 events"):
        await read()
    assert seen == list(range(BUFFERED_EVENTS))


def test_without_the_library_the_extra_is_named_and_the_machine_is_there_all_the_same() -> None:
    script = (
        "import sys; sys.modules['websockets'] = None\n"
        "from roomkit.client import Machine\n"
        "print(Machine.__name__)\n"
        "from roomkit.client import connect"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, text=True
    )
    assert "pip install 'roomkit-chat[client]'" in result.stderr
    assert result.stdout == "Machine\n"


def test_the_names_that_are_imported_late_are_the_real_ones() -> None:
    assert Chat is ChatItself
