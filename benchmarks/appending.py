"""What `RedisStore.append` costs: alone against a bare script, and from several processes at once.

The bare side does the least that keeps the same bytes: as many scripts in one pipeline, each of
which counts, adds to a stream, and publishes. It checks no fence, no nonce and no key, makes no
link, and repeats no answer. `python -m benchmarks.appending URL SECONDS BEGIN` is one of the
processes; they begin at one time, and share the load's processor, so on a machine with two there is
not much that more of them can add.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from redis.asyncio import Redis

from benchmarks.processes import LOAD_PROCESSOR, pin, say
from benchmarks.valkey import valkey
from roomkit.core import facts
from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import Nonce, Stored
from roomkit.ids import NodeId, RoomId, UserId
from roomkit.stores.redis import RedisStore

__all__ = ["measure_appending"]

BATCHES = (1, 16, 256)
PROCESSES = (1, 2, 4)
_START_S = 3.0
TEXT = "The quick brown fox jumps over the lazy dog, and nobody knows why it did so at last. " * 2
FACT = facts.encode(facts.Posted(UserId("user-1"), "alice", TEXT))
_BARE = """
local seq = redis.call('INCR', KEYS[1])
redis.call('XADD', KEYS[2], seq .. '-0', 'f', ARGV[1])
redis.call('PUBLISH', KEYS[3], ARGV[1])
return seq
"""


def measure_appending(seconds: float, turns: int) -> dict[str, object]:
    """Measure all of it, and say what was found.

    Args:
        seconds: of each measurement.
        turns: of both sides.
    """
    results: dict[str, object] = {}
    for batch in BATCHES:
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(turns):
            with valkey() as server:
                url = f"redis://127.0.0.1:{server.port}"
                ours.append(asyncio.run(_append(url, batch, seconds)))
                bare.append(asyncio.run(_bare(url, batch, seconds)))
        ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
        results[f"batches of {batch}"] = {
            "append_per_s": statistics.median(ours), "bare_per_s": statistics.median(bare),
            "ratio": ratio,
        }  # fmt: skip
        say(
            f"RedisStore.append, {batch} rooms at once: {statistics.median(ours):,.0f} a second, "
            f"bare scripts {statistics.median(bare):,.0f}: {ratio:.2f} x"
        )
    for count in PROCESSES:
        with valkey() as server:
            rate = _from_processes(f"redis://127.0.0.1:{server.port}", count, seconds)
        results[f"{count} processes"] = {"append_per_s": rate}
        say(f"RedisStore.append from {count} processes: {rate:,.0f} a second")
    return {"appending": results}


async def _append(url: str, batch: int, seconds: float) -> float:
    """Messages a second, so many rooms at once, one message each."""
    store, counter = RedisStore(url), iter(range(1, 10**9))
    rooms = [RoomId(f"room-{os.getpid()}-{number}") for number in range(batch)]
    node, items = NodeId(f"node-{os.getpid()}"), (FactItem(None, FACT),)

    async def call() -> None:
        appends = [
            Append(room, Nonce(node, next(counter)), "", items, control=False) for room in rooms
        ]
        for outcome in await store.append(appends, 0):
            assert type(outcome) is Stored

    async with store.open():
        return batch * await _calls_per_s(call, seconds)


async def _bare(url: str, batch: int, seconds: float) -> float:
    client = cast("Any", Redis).from_url(url, protocol=2)
    digest = await client.script_load(_BARE)

    async def call() -> None:
        pipe = client.pipeline(transaction=False)
        for number in range(batch):
            pipe.evalsha(digest, 3, f"n{number}", f"s{number}", f"c{number}", FACT)
        await pipe.execute()

    try:
        return batch * await _calls_per_s(call, seconds)
    finally:
        await client.aclose()


async def _calls_per_s(call: Callable[[], Awaitable[None]], seconds: float) -> float:
    await call()
    begun, calls = time.perf_counter(), 0
    while (took := time.perf_counter() - begun) < seconds:
        await call()
        calls += 1
    return calls / took


def _from_processes(url: str, count: int, seconds: float) -> float:
    begin = time.time() + _START_S
    command = [sys.executable, "-m", "benchmarks.appending", url, str(seconds), str(begin)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    said = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise ChildProcessError("a process that appends has failed: see above")
    return sum(map(float, said))


async def _append_from(url: str, seconds: float, begin: float) -> float:
    await asyncio.sleep(max(0.0, begin - time.time()))
    return await _append(url, 16, seconds)


if __name__ == "__main__":
    pin(0, LOAD_PROCESSOR)
    print(asyncio.run(_append_from(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))))
