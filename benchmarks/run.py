"""`scripts/bench`: what a message costs, how many a server passes on, what a stalled reader does.

Every figure comes from this run on this machine; compare the ratios, not the figures of two runs.
Servers run in processes of their own, pinned away from the load where there are two processors.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

from benchmarks.engine import engine_cost
from benchmarks.load import connect, fan_out
from benchmarks.recording import recording_cost, state_cost

STALLED_RUNS = 5


def say(text: str) -> None:
    """Show progress."""
    print(text, flush=True)


@contextlib.contextmanager
def server(name: str) -> Generator[int]:
    """Run one of the servers and yield its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.servers", name], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        _pin(process.pid, 0)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _pin(pid: int, processor: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {processor})


async def _fan_out(port: int, members: int, window: int, seconds: float) -> dict[str, float]:
    clients = [await connect(port, "general", number) for number in range(members)]
    try:
        return await fan_out(clients, "general", window, seconds)
    finally:
        for client in clients:
            client.close()


async def _stalled(port: int, members: int, seconds: float) -> dict[str, float]:
    """Compare the author's p99 in a room with a member who never reads to one without."""
    ratios: list[float] = []
    for run in range(STALLED_RUNS):
        p99: list[float] = []
        for stalled in (False, True):
            room = f"room-{run}-{stalled}"
            clients = [await connect(port, room, number) for number in range(members)]
            idle = await connect(port, room, members)
            if stalled:
                idle.stop_reading()
            p99.append((await fan_out(clients, room, 16, seconds))["p99_ms"])
            for client in (*clients, idle):
                client.close()
        ratios.append(p99[1] / p99[0])
    return {"p99_ratio_median": statistics.median(ratios)}


def run(members: int, seconds: float, messages: int) -> dict[str, object]:
    """Run everything and return the figures."""
    results: dict[str, object] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "python": platform.python_version(),
    }
    for rooms in (1, 1000):
        say(f"engine: {messages} messages, {rooms} other rooms ...")
        cost = engine_cost(messages, rooms)
        results[f"engine, {rooms} other rooms"] = cost
        say(f"  {cost['median_us']:.1f} us of CPU a message (best {cost['best_us']:.1f})")
    _recording(results, messages)
    _pin(0, 1)
    rates: dict[str, float] = {}
    for name in ("roomkit", "recorded", "broadcast"):
        for window in (1, 16):
            say(f"{name}: 1 room, {members} members, {window} in flight, {seconds:g} s ...")
            with server(name) as port:
                figures = asyncio.run(_fan_out(port, members, window, seconds))
            results[f"{name}, {window} in flight"] = figures
            rates[f"{name} {window}"] = figures["deliveries_per_s"]
            say(
                f"  {figures['messages_per_s']:,.0f} messages/s, "
                f"{figures['deliveries_per_s']:,.0f} deliveries/s, "
                f"p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.2f} ms"
            )
    for window in (1, 16):
        ratio = rates[f"roomkit {window}"] / rates[f"broadcast {window}"]
        results[f"roomkit / broadcast by hand, {window} in flight"] = ratio
        say(f"roomkit / broadcast by hand, {window} in flight: {ratio:.2f}")
        ratio = rates[f"recorded {window}"] / rates[f"roomkit {window}"]
        results[f"recorded / not recorded, {window} in flight"] = ratio
        say(f"recorded / not recorded, {window} in flight: {ratio:.2f}")
    say(f"a member who never reads, {members} others, median of {STALLED_RUNS} ...")
    with server("roomkit") as port:
        stalled = asyncio.run(_stalled(port, members, seconds))
    results["stalled reader"] = stalled
    say(f"  p99 with / without: {stalled['p99_ratio_median']:.2f}")
    return results


def _recording(results: dict[str, object], messages: int) -> None:
    """Measure the black box without a server."""
    say(f"black box: {messages} messages with and without ...")
    cost = recording_cost(messages)
    results["black box"] = cost
    say(
        f"  {cost['with_us']:.1f} us of CPU a message, {cost['without_us']:.1f} without: "
        f"{cost['ratio']:.2f} times; {cost['bytes']:.0f} bytes a message"
    )
    state = state_cost(100, 10, 400)
    results["black box, a segment begins with 100 rooms, 1000 people, 40000 messages"] = state
    say(f"  a segment begins, 100 rooms of 10 people and 400 messages: {state['median_ms']:.0f} ms")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--members", type=int, default=100, help="members of the room")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each run")
    parser.add_argument("--messages", type=int, default=10_000, help="messages an engine round")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    results = run(options.members, options.seconds, options.messages)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
