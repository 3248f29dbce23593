"""Nothing is left behind by connections that came and went: no task, no descriptor, no memory."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
from pathlib import Path

import anyio
import pytest

from roomkit import Hub, Limits
from roomkit_websockets import listen

COME_AND_GO = Path(__file__).with_name("come_and_go.py")
WARM_UP = 4_000
TIMES = 10_000
MIB = 1024 * 1024


def memory() -> int:
    """Return this process's resident memory in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def descriptors() -> int:
    """Return how many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))


async def come_and_go(hub: Hub, port: int, times: int) -> None:
    """Run the client program, and wait until the server knows that everybody has gone."""
    await anyio.run_process([sys.executable, str(COME_AND_GO), str(port), str(times)])
    with anyio.fail_after(10):
        while hub.stats.connections or hub.stats.rooms:  # noqa: ASYNC110 - bounded
            await anyio.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to see its memory")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_ten_thousand_connections_leave_nothing_behind(anyio_backend: str) -> None:
    limits = Limits(log_entries=256, forget_ms=1_000_000)
    hub = Hub(limits=limits)
    async with listen(hub, "127.0.0.1", 0) as (_, port):
        await come_and_go(hub, port, WARM_UP)
        before = (len(asyncio.all_tasks()), descriptors())
        memory_before = memory()
        await come_and_go(hub, port, TIMES)
        assert (len(asyncio.all_tasks()), descriptors()) == before
        assert memory() - memory_before < MIB
