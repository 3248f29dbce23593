"""Several nodes, one server: what is said at one is heard at the others, and ghosts go."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from secrets import token_hex
from typing import Any

import anyio
import msgspec
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from roomkit import Hub
from roomkit.stores.redis import RedisStore
from roomkit.testing.websocket_client import WebsocketClient
from tests.runtime.scripted import ScriptedTransport, eventually, join, served
from tests.stores.redis.deployments import Deployment
from tests.stores.redis.quick import QUICK, SECRET


@asynccontextmanager
async def nodes(server: Deployment, count: int, prefix: str = "") -> AsyncGenerator[list[Hub]]:
    """Run nodes of one service in this process."""
    first = RedisStore(server.url, limits=QUICK, prefix=prefix or token_hex(4))
    async with AsyncExitStack() as stack:
        hubs = [Hub(store=first.another(), limits=QUICK, secret=SECRET) for _ in range(count)]
        yield [await stack.enter_async_context(hub) for hub in hubs]


async def test_people_at_different_nodes_talk(server: Deployment) -> None:
    alice, bob = ScriptedTransport(), ScriptedTransport()
    async with nodes(server, 2) as (here, there), served(here, alice), served(there, bob):
        await join(alice, "alice")
        await join(bob, "bob")
        await eventually(lambda: came_and_went(alice) == (["bob"], []))
        alice.say("send_message", room="lobby", message="hello from here", ref="1")
        await eventually(lambda: "new_message" in bob.types())
        bob.say("send_message", room="lobby", message="hello from there", ref="2")
        both = ["hello from here", "hello from there"]
        await eventually(lambda: heard(alice, "message") == heard(bob, "message") == both)
        bob.say("typing_start", room="lobby")
        await alice.data_of("user_typing")


async def test_order_is_the_same_everywhere_however_many_talk_at_once(server: Deployment) -> None:
    people = [ScriptedTransport() for _ in range(6)]
    async with nodes(server, 3) as hubs, AsyncExitStack() as stack:
        for number, one in enumerate(people):
            await stack.enter_async_context(served(hubs[number % 3], one))
            await join(one, f"user-{number}")
        for number in range(20):
            for one in people:
                one.say("send_message", room="lobby", message=f"{number}", ref=f"{number}")
        await eventually(lambda: all(one.types().count("new_message") == 120 for one in people))
        orders = [heard(one, "id") for one in people]
        assert all(order == orders[0] for order in orders)
        assert len(set(orders[0])) == 120


def heard(transport: ScriptedTransport, field: str) -> list[object]:
    """Return a field of every message somebody was sent."""
    return [data[field] for type, data in transport.frames() if type == "new_message"]


def names(people: object) -> list[str]:
    return sorted(one["username"] for one in msgspec.convert(people, list[dict[str, Any]]))


def came_and_went(transport: ScriptedTransport) -> tuple[list[str], list[str]]:
    """Return who somebody was shown coming and leaving."""
    changes = [data for type, data in transport.frames() if type == "roster_changed"]
    came = [name for change in changes for name in names(change["joined"])]
    return came, [name for change in changes for name in names(change["left"])]


@asynccontextmanager
async def process(server: Deployment, prefix: str) -> AsyncGenerator[tuple[Process, str]]:
    """Run a node in a process of its own; yields it and where its websocket is."""
    command = [sys.executable, "-m", "tests.stores.redis.node_process", server.url, prefix]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    async with await anyio.open_process(command, env=environment, stderr=None) as node:
        assert node.stdout is not None
        try:
            port = int(await BufferedByteReceiveStream(node.stdout).receive_until(b"\n", 16))
            yield node, f"ws://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                node.kill()


async def test_nobody_stays_behind_at_a_node_that_was_killed(server: Deployment) -> None:
    alice, prefix = ScriptedTransport(), token_hex(4)
    async with nodes(server, 1, prefix) as (here,), served(here, alice):
        await join(alice, "alice")
        async with (
            process(server, prefix) as (there, url),
            WebsocketClient.connect(url) as bob,
        ):
            await bob.send("hello", protocol=2, username="bob")
            await bob.send("join_room", room="lobby")
            joined = await bob.until("room_joined")
            assert names(joined["occupants"]) == ["alice", "bob"]
            await eventually(lambda: came_and_went(alice) == (["bob"], []))
            there.kill()
            await there.wait()
        await eventually(lambda: came_and_went(alice) == (["bob"], ["bob"]))


async def test_somebody_whose_node_was_killed_goes_on_at_another(server: Deployment) -> None:
    alice, again, prefix = ScriptedTransport(), ScriptedTransport(), token_hex(4)
    async with nodes(server, 1, prefix) as (here,), served(here, alice):
        await join(alice, "alice")
        async with (
            process(server, prefix) as (there, url),
            WebsocketClient.connect(url) as bob,
        ):
            await bob.send("hello", protocol=2, username="bob")
            welcome = await bob.until("welcome")
            await bob.send("join_room", room="lobby")
            joined = await bob.until("room_joined")
            alice.say("send_message", room="lobby", message="seen by both")
            await bob.until("new_message")
            there.kill()
            await there.wait()
        alice.say("send_message", room="lobby", message="missed by bob", ref="missed")
        await alice.data_of("ack")
        async with served(here, again):
            token, session = welcome["guest_token"], welcome["session"]
            again.say("hello", protocol=2, username="bob", token=token, session=session)
            assert (await again.data_of("welcome"))["user"] == welcome["user"]
            since = {"seq": joined["seq"], "link": joined["link"]}
            again.say("join_room", room="lobby", since=since)
            assert (await again.data_of("room_joined"))["recovered"] is True
            await eventually(lambda: len(heard(again, "message")) == 2)
            assert heard(again, "message") == ["seen by both", "missed by bob"]
            assert came_and_went(alice) == (["bob"], [])
