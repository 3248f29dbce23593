"""A client without a socket goes through everything a real one does."""

from __future__ import annotations

import anyio
import pytest

from roomkit import Handshake, Hub, Limits, TransportClosed, User, UserId
from roomkit.testing import socketless
from roomkit.testing.socketless import Client, Frame, connect


async def hello(client: Client, username: str) -> None:
    await client.send("hello", {"protocol": 2, "username": username})
    assert (await client.receive()).type == "welcome"


async def join(client: Client, username: str) -> None:
    await hello(client, username)
    await client.send("join_room", {"room": "lobby"})
    await client.receive_type("room_joined")


async def everything(client: Client) -> list[Frame]:
    """What was sent before the connection was closed."""
    read: list[Frame] = []
    try:
        while True:
            read.append(await client.receive())
    except TransportClosed:
        return read


async def test_two_people_talk() -> None:
    async with Hub() as hub, connect(hub) as alice, connect(hub) as bob:
        await join(alice, "alice")
        await join(bob, "bob")
        assert (await alice.receive()).type == "roster_changed"
        await bob.send("send_message", {"room": "lobby", "message": "hello"})
        for person in (alice, bob):
            frame = await person.receive()
            assert (frame.type, frame.data["message"]) == ("new_message", "hello")


async def test_the_hook_sees_the_handshake() -> None:
    def who(handshake: Handshake) -> User | None:
        name = handshake.headers.get("x-user")
        return User(UserId(f"u-{name}"), name) if name else None

    request = Handshake(headers={"x-user": "alice"})
    async with Hub(authenticate=who) as hub, connect(hub, request) as alice:
        await alice.send("hello", {"protocol": 2})
        assert (await alice.receive()).data["user"] == {"user_id": "u-alice", "username": "alice"}


async def test_what_is_no_frame_can_be_sent_too() -> None:
    async with Hub() as hub, connect(hub) as alice:
        await alice.send_text("{")
        frame = await alice.receive()
        assert (frame.type, frame.data["code"]) == ("error", "bad_frame")


async def test_the_client_sees_how_the_hub_closed() -> None:
    async with Hub() as hub, connect(hub) as alice:
        await alice.send("hello", {"protocol": 7})
        assert (await alice.receive()).type == "error"
        with pytest.raises(TransportClosed, match="closed with 4500: bad_protocol"):
            await alice.receive()
        with pytest.raises(TransportClosed):
            await alice.send("ping", {})
        assert alice.close_code == 4500


async def test_a_client_that_hangs_up_is_gone_when_the_block_ends() -> None:
    async with Hub() as hub:
        async with connect(hub) as alice:
            await join(alice, "alice")
            assert hub.stats.connections == 1
        assert (hub.stats.connections, alice.close_code) == (0, 1000)


async def test_a_client_that_does_not_read_is_a_slow_reader() -> None:
    limits = Limits(
        outbox_soft_bytes=2_000, outbox_hard_bytes=8_000, snapshot_bytes=2_000, close_ms=50
    )
    async with Hub(limits=limits) as hub, connect(hub, window_bytes=5_000) as alice:
        await join(alice, "alice")
        for _ in range(16):
            await hub.post("lobby", "x" * 1_000)
            await anyio.wait_all_tasks_blocked()
        assert alice.close_code == 4001
        read = await everything(alice)
        assert {frame.type for frame in read} == {"new_message"}
        assert [frame.data["seq"] for frame in read] == list(range(2, 2 + len(read)))
        assert 0 < len(read) < 16


async def test_waiting_for_a_frame_that_never_comes_fails_the_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socketless, "PATIENCE_SECONDS", 0.01)
    async with Hub() as hub, connect(hub) as alice:
        with pytest.raises(TimeoutError, match=r"the hub sent no frame within 0\.01 s"):
            await alice.receive()


async def test_an_error_of_the_test_comes_out_as_it_is() -> None:
    async with Hub() as hub:
        with pytest.raises(AssertionError, match="mine"):
            async with connect(hub):
                raise AssertionError("mine")
