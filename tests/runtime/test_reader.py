"""The first frame decides the protocol; who is there is found out before anything else is read."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from anyio.lowlevel import checkpoint

from roomkit import Handshake, Hub, Limits, User, UserId
from tests.runtime.scripted import ScriptedTransport, eventually, join, served

ALICE = User(UserId("u-alice"), "alice")
SECRET = "correct horse battery staple"


async def test_a_hello_begins_protocol_2() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        alice.say("hello", protocol=2, username="alice")
        welcome = await alice.data_of("welcome")
        assert alice.types() == ["welcome"]
        assert (welcome["protocol"], welcome["resumed"]) == (2, False)
        assert (welcome["durability"], welcome["heartbeat_ms"]) == ("memory", 25_000)


async def test_any_other_command_begins_protocol_1_and_is_carried_out() -> None:
    bob = ScriptedTransport()
    async with Hub() as hub, served(hub, bob):
        bob.say("join_room", room="lobby", username="bob")
        users = await bob.data_of("room_users")
        assert bob.types() == ["message_history", "room_users"]
        assert users["users"] == ["bob"]


async def test_a_second_hello_is_an_unknown_type() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        alice.say("hello", protocol=2, username="alice")
        alice.say("hello", protocol=2, username="alice")
        assert (await alice.data_of("error"))["code"] == "unknown_type"


async def test_after_a_first_frame_that_is_no_frame_the_next_one_decides() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        alice.put("{")
        alice.put(b"\x00")
        alice.say("hello", protocol=2, username="alice")
        await alice.data_of("welcome")
        assert alice.types() == ["error", "error", "welcome"]
        assert alice.frames()[0][1]["code"] == "bad_frame"


async def test_a_hello_for_another_protocol_is_refused_for_good() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        alice.say("hello", protocol=3)
        await eventually(lambda: alice.closed)
        assert alice.closed == (4500, "bad_protocol")
        assert (await alice.data_of("error"))["code"] == "bad_argument"
        assert hub.stats.closes == {4500: 1}


async def test_a_guest_with_a_bad_name_may_say_hello_again() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        alice.say("hello", protocol=2, username=" alice")
        alice.say("hello", protocol=2, username="alice")
        await alice.data_of("welcome")
        assert alice.types() == ["error", "welcome"]
        assert alice.frames()[0][1]["code"] == "bad_argument"
        assert alice.closed is None


async def test_a_guest_token_brings_the_same_guest_back() -> None:
    first, second, third = (ScriptedTransport() for _ in range(3))
    async with Hub(secret=SECRET) as hub, served(hub, first, second):
        first.say("hello", protocol=2, username="alice")
        welcome = await first.data_of("welcome")
        second.say("hello", protocol=2, token=welcome["guest_token"])
        again = await second.data_of("welcome")
        assert again["user"] == welcome["user"]
        assert again["session"] != welcome["session"]
    async with Hub(secret=SECRET) as hub, served(hub, third):
        third.say("hello", protocol=2, token=welcome["guest_token"])
        user = (await third.data_of("welcome"))["user"]
        assert isinstance(user, dict)
        assert isinstance(welcome["user"], dict)
        assert user["user_id"] == welcome["user"]["user_id"]


async def test_a_guest_token_of_another_secret_makes_a_fresh_guest() -> None:
    first, second = ScriptedTransport(), ScriptedTransport()
    async with Hub() as hub, served(hub, first):
        first.say("hello", protocol=2, username="alice")
        welcome = await first.data_of("welcome")
    async with Hub() as hub, served(hub, second):
        token, session = welcome["guest_token"], welcome["session"]
        second.say("hello", protocol=2, token=token, session=session, username="alice")
        again = await second.data_of("welcome")
        assert isinstance(again["user"], dict)
        assert isinstance(welcome["user"], dict)
        assert again["user"]["username"] == "alice"
        assert again["user"]["user_id"] != welcome["user"]["user_id"]


async def test_a_session_is_resumed_by_its_own_user_only() -> None:
    alice, bob, back = (ScriptedTransport() for _ in range(3))
    async with Hub() as hub, served(hub, alice, bob, back):
        alice.say("hello", protocol=2, username="alice")
        session = (await alice.data_of("welcome"))["session"]
        bob.say("hello", protocol=2, username="bob", session=session)
        theirs = await bob.data_of("welcome")
        assert (theirs["resumed"], theirs["session"] == session) == (False, False)

        token = (await alice.data_of("welcome"))["guest_token"]
        alice.hang_up()
        back.say("hello", protocol=2, token=token, session=session)
        ours = await back.data_of("welcome")
        assert (ours["resumed"], ours["session"] == session) == (True, True)


async def test_the_hook_is_asked_with_the_token_and_decides_who_it_is() -> None:
    asked: list[Handshake] = []

    def who(handshake: Handshake) -> User | None:
        asked.append(handshake)
        return ALICE

    request = Handshake(headers={"cookie": "id=1"}, path="/ws", client="127.0.0.1")
    alice = ScriptedTransport(request)
    async with Hub(authenticate=who) as hub, served(hub, alice):
        alice.say("hello", protocol=2, token="secret", username="mallory")
        welcome = await alice.data_of("welcome")
        assert welcome["user"] == {"user_id": "u-alice", "username": "alice"}
        assert "guest_token" not in welcome
    assert asked == [Handshake({"cookie": "id=1"}, path="/ws", client="127.0.0.1", token="secret")]


async def test_a_hook_that_waits_serves_protocol_1_too() -> None:
    async def who(handshake: Handshake) -> User | None:
        await checkpoint()
        return ALICE if handshake.token is None else None

    alice = ScriptedTransport()
    async with Hub(authenticate=who) as hub, served(hub, alice):
        alice.say("join_room", room="lobby", username="mallory")
        assert (await alice.data_of("room_users"))["users"] == ["alice"]


async def test_nothing_is_read_while_the_hook_runs() -> None:
    may_go = anyio.Event()

    async def who(handshake: Handshake) -> User | None:
        await may_go.wait()
        return ALICE

    alice = ScriptedTransport()
    async with Hub(authenticate=who) as hub, served(hub, alice):
        alice.say("hello", protocol=2)
        alice.say("ping", t=1)
        await anyio.wait_all_tasks_blocked()
        assert (hub.stats.received, alice.sent) == (1, [])
        may_go.set()
        await alice.data_of("pong")
        assert alice.types() == ["welcome", "pong"]


async def test_whom_the_hook_does_not_know_is_refused_for_good() -> None:
    nobody = ScriptedTransport()
    async with Hub(authenticate=lambda handshake: None) as hub, served(hub, nobody):
        nobody.say("hello", protocol=2, token="wrong")
        await eventually(lambda: nobody.closed)
        assert nobody.closed == (4501, "unauthenticated")
        assert (await nobody.data_of("error"))["code"] == "unauthenticated"


def raising(handshake: Handshake) -> User | None:
    raise LookupError(f"nobody has the token {handshake.token}")


def confused(handshake: Handshake) -> User | None:
    return "alice"  # type: ignore[return-value]  # what a host may get wrong


def misnaming(handshake: Handshake) -> User | None:
    return User(UserId("u-alice"), "\u202ealice")


@pytest.mark.parametrize("hook", [raising, confused, misnaming])
async def test_a_hook_that_fails_ends_the_connection_and_is_logged_without_its_text(
    hook: object, caplog: pytest.LogCaptureFixture
) -> None:
    alice = ScriptedTransport()
    async with Hub(authenticate=hook) as hub, served(hub, alice):  # type: ignore[arg-type]  # a hook
        alice.say("hello", protocol=2, token="hunter2")
        await eventually(lambda: alice.closed)
        assert alice.closed == (4004, "internal")
        assert (await alice.data_of("error"))["code"] == "internal"
    assert [record.name for record in caplog.records] == ["roomkit"]
    assert "the authentication hook failed" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_hook_that_takes_too_long_ends_the_connection() -> None:
    async def who(handshake: Handshake) -> User | None:
        await anyio.sleep_forever()
        return None

    alice = ScriptedTransport()
    limits = Limits(handshake_ms=20)
    async with Hub(authenticate=who, limits=limits) as hub, served(hub, alice):
        alice.say("hello", protocol=2)
        await eventually(lambda: alice.closed)
        assert alice.closed == (4004, "internal")
        assert (await alice.data_of("error"))["code"] == "hook_timeout"


async def test_a_frame_far_too_large_ends_the_connection() -> None:
    alice, bob = ScriptedTransport(), ScriptedTransport()
    async with Hub() as hub, served(hub, alice, bob):
        alice.put("é" * 131_073)
        await eventually(lambda: alice.closed)
        assert alice.closed == (1009, "frames have at most 262144 bytes")

        bob.put("é" * 131_072)
        assert (await bob.data_of("error"))["code"] == "too_large"
        assert bob.closed is None


async def test_a_flood_of_frames_starves_nobody() -> None:
    """The transport never waits here, so only the reader can give others a turn."""
    flood, alice = ScriptedTransport(), ScriptedTransport()
    limits = Limits(frames_burst=10_000, frames_per_s=10_000)
    async with Hub(limits=limits) as hub, served(hub, flood, alice):
        await join(flood, "mallory")
        for _ in range(2_000):
            flood.say("ping")
        alice.say("hello", protocol=2, username="alice")
        await alice.data_of("welcome")
        assert flood.types().count("pong") < 2_000
        await eventually(lambda: flood.types().count("pong") == 2_000)


class Listening(ScriptedTransport):
    """One that hands over what it gets, in a callback outside of any task."""

    heard: Callable[[str | bytes], bool] | None = None
    refused = 0

    def listen(self, heard: Callable[[str | bytes], bool]) -> None:
        self.heard = heard

    def put(self, *messages: str | bytes) -> None:
        for message in messages:
            if self.heard is None or self._incoming:
                super().put(message)
            elif not self.heard(message):
                self.refused += 1
                super().put(message)


async def test_what_is_handed_over_is_handled_with_everybodys() -> None:
    alice, bob = Listening(), Listening()
    async with Hub() as hub, served(hub, alice, bob):
        await join(alice, "alice")
        await join(bob, "bob")
        assert alice.heard and bob.heard
        received = hub.stats.received
        for one in (alice, bob):
            one.say("send_message", room="lobby", message="hello", ref="r")
        assert hub.stats.received == received
        await eventually(lambda: alice.types().count("new_message") == 2)
        assert hub.stats.received == received + 2
        assert alice.types().count("ack") == bob.types().count("ack") == 1


async def test_no_more_is_taken_from_one_than_from_others() -> None:
    flood, alice = Listening(), Listening()
    limits = Limits(frames_burst=10_000, frames_per_s=10_000)
    async with Hub(limits=limits) as hub, served(hub, flood, alice):
        await join(flood, "mallory")
        for number in range(200):
            flood.say("ping", t=number)
        assert flood.refused == 1  # the others behind it wait as well
        alice.say("hello", protocol=2, username="alice")
        await alice.data_of("welcome")
        assert flood.types().count("pong") < 200
        await eventually(lambda: flood.types().count("pong") == 200)
        pongs = [data["t"] for type, data in flood.frames() if type == "pong"]
        assert pongs == list(range(200))


async def test_what_came_before_a_connection_was_lost_is_done() -> None:
    alice, bob = Listening(), Listening()
    async with Hub() as hub, served(hub, alice, bob):
        await join(alice, "alice")
        await join(bob, "bob")
        bob.say("send_message", room="lobby", message="my last words")
        bob.hang_up()
        assert (await alice.data_of("new_message"))["message"] == "my last words"


async def test_what_comes_after_the_end_is_dropped() -> None:
    alice = Listening()
    async with Hub() as hub, served(hub, alice):
        await join(alice, "alice")
        alice.put("x" * (hub.limits.frame_close_bytes + 1))
        alice.say("ping")
        await eventually(lambda: alice.closed)
        assert alice.closed is not None and alice.closed[0] == 1009
        assert "pong" not in alice.types()


async def test_a_transport_that_breaks_ends_its_connection_only() -> None:
    class Broken(ScriptedTransport):
        async def receive(self) -> str | bytes:
            raise ZeroDivisionError

    broken, alice = Broken(), ScriptedTransport()
    async with Hub() as hub, served(hub, broken, alice):
        await eventually(lambda: broken.closed)
        assert broken.closed == (4004, "internal error")
        await join(alice, "alice")
        assert hub.stats.connections == 1
