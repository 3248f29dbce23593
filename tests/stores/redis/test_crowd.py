"""Ten thousand people are at a node that is killed: each room takes one small append, no more."""

from __future__ import annotations

import os
import sys
from secrets import token_hex

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from roomkit import Hub
from roomkit.core import facts
from roomkit.core.storage import LogSlice
from roomkit.ids import RoomId
from roomkit.stores.redis import RedisStore
from tests.runtime.scripted import ScriptedTransport, eventually, served
from tests.stores.redis.crowd_process import PEOPLE, ROOMS
from tests.stores.redis.quick import CROWDED, SECRET
from tests.stores.redis.servers import TestServer, serving


def calls(server: TestServer, command: str) -> int:
    """How often a command was called."""
    said = server.say("INFO commandstats")
    _, there, counts = said.partition(f"cmdstat_{command}:calls=")
    return int(counts.partition(",")[0]) if there else 0


@pytest.mark.timeout(300)  # ten thousand people come, on a machine that may be busy
async def test_ten_thousand_who_are_lost_cost_one_append_a_room() -> None:
    prefix = token_hex(4)
    with serving("valkey") as server:
        command = [sys.executable, "-m", "tests.stores.redis.crowd_process", server.url, prefix]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        alice = ScriptedTransport()
        store = RedisStore(server.url, limits=CROWDED, prefix=prefix)
        async with (
            await anyio.open_process(command, env=environment, stderr=None) as crowd,
            Hub(store=store, limits=CROWDED, secret=SECRET) as hub,
            served(hub, alice),
        ):
            assert crowd.stdout is not None
            with anyio.fail_after(60):
                await BufferedByteReceiveStream(crowd.stdout).receive_until(b"there", 100)
            alice.say("hello", protocol=2, username="alice")
            for number in range(ROOMS):
                alice.say("join_room", room=f"room-{number}")
            await eventually(lambda: seen(alice, b'"type":"room_joined"') == ROOMS, "joins", 120)
            before = calls(server, "evalsha")
            crowd.kill()
            lost = b'"reason":"node_lost"'
            await eventually(lambda: seen(alice, lost) == PEOPLE, "everybody's leaving", 90)
            assert calls(server, "evalsha") - before == ROOMS
            assert facts_of(await store.read(RoomId("room-0"), 0, 1_000)) == 1


def facts_of(log: LogSlice) -> int:
    """How many entries say that a node is lost."""
    return sum(isinstance(facts.decode(entry.fact), facts.NodeLost) for entry in log.entries)


def seen(transport: ScriptedTransport, text: bytes) -> int:
    """How often somebody was sent this."""
    return sum(frame.count(text) for frame in transport.sent)
