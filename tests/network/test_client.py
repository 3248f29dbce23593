"""The Python client over connections that are cut, stalled and half-closed at any byte."""

from __future__ import annotations

import os

import anyio
import msgspec
import pytest

from roomkit import Hub
from roomkit_websockets import listen
from tests.crash.calm import endings
from tests.crash.crowd import Crowd
from tests.crash.record import Record
from tests.crash.server import LIMITS as PLENTY_OF_EVERYTHING
from tests.crash.verdict import faults
from tests.network.proxy import Proxy, proxying, trouble

SEEDS = range(6 if os.environ.get("CI") else 3)
ROOMS = ("general", "kitchen")
CONNECTIONS = 20
CHAOS_S, CALM_S = 20.0, 30.0
# Heard of in time that a way is stalled.
LIMITS = msgspec.structs.replace(
    PLENTY_OF_EVERYTHING, connections_per_user=10_000, heartbeat_ms=800, pong_ms=400
)


async def wear_out(crowd: Crowd, proxy: Proxy) -> None:
    """Until so many connections were spoilt: whoever lost one tries again at once."""
    with anyio.move_on_after(CHAOS_S):
        while proxy.opened < CONNECTIONS:
            for chat in crowd.chats.values():
                if chat.state == "offline":
                    chat.hint()
            await anyio.sleep(0.05)


@pytest.mark.socket
@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_is_missing_or_doubled_whatever_happens_to_connections(seed: int) -> None:
    record = Record()
    crowd = Crowd(seed, ROOMS, record)
    async with (
        listen(Hub(limits=LIMITS), "127.0.0.1", 0) as (_, port),
        proxying(port, trouble(seed)) as proxy,
        anyio.create_task_group() as people,
    ):
        for name, to in (("alice", proxy.port), ("bob", proxy.port), ("carol", port)):
            people.start_soon(crowd.visit, name, f"ws://127.0.0.1:{to}/")
        await wear_out(crowd, proxy)
        proxy.calm()
        with anyio.fail_after(CALM_S):
            record.endings = await endings(crowd, f"ws://127.0.0.1:{port}/")
        people.cancel_scope.cancel()
    print(f"{proxy.opened} connections, {dict(proxy.done)}, {record.acked} acknowledged")
    assert faults(record) == []
    assert proxy.done.total() >= CONNECTIONS // 2
    assert record.acked >= CONNECTIONS
