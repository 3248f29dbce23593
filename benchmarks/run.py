"""`scripts/bench`: what a message costs, how many a server passes on, what keeping them costs, and
what a stalled reader and a storm of reconnecting clients do to the others.

Every figure comes from this run on this machine; compare the ratios, not the figures of two runs.
Servers run in processes of their own, pinned away from the load where there are two processors.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.engine import engine_cost
from benchmarks.load import connect, fan_out
from benchmarks.processes import pin, say, server
from benchmarks.recording import measure_recording
from benchmarks.sqlite_store import measure_sqlite_store
from benchmarks.stores import compare_stores
from benchmarks.storm import StormLost, brave_storm

PARTS = ("engine", "recording", "fan-out", "stalled", "sqlite", "stores", "storm")
STALLED_RUNS = 5


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


def measure_engine(messages: int) -> dict[str, object]:
    """What a message costs inside, with no other rooms and with many."""
    results: dict[str, object] = {}
    for rooms in (1, 1000):
        say(f"engine: {messages} messages, {rooms} other rooms ...")
        cost = engine_cost(messages, rooms)
        results[f"engine, {rooms} other rooms"] = cost
        say(f"  {cost['median_us']:.1f} us of CPU a message (best {cost['best_us']:.1f})")
    return results


def measure_fan_out(members: int, seconds: float) -> dict[str, object]:
    """How many messages a server passes on, against what people write by hand."""
    results: dict[str, object] = {}
    rates: dict[str, float] = {}
    for name in ("roomkit", "recorded", "broadcast"):
        for window in (1, 16):
            say(f"{name}: 1 room, {members} members, {window} in flight, {seconds:g} s ...")
            with server(name) as running:
                figures = asyncio.run(_fan_out(running.port, members, window, seconds))
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
    return results


def measure_stalled(members: int, seconds: float) -> dict[str, object]:
    """What a member who never reads does to the others."""
    say(f"a member who never reads, {members} others, median of {STALLED_RUNS} ...")
    with server("roomkit") as running:
        stalled = asyncio.run(_stalled(running.port, members, seconds))
    say(f"  p99 with / without: {stalled['p99_ratio_median']:.2f}")
    return {"stalled reader": stalled}


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--members", type=int, default=100, help="members of the room")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each run")
    parser.add_argument("--messages", type=int, default=10_000, help="messages an engine round")
    parser.add_argument("--clients", type=int, default=2_000, help="clients of the storm")
    parser.add_argument(
        "--large", type=int, default=1_000_000, help="messages of the large room of part sqlite"
    )
    parser.add_argument("--only", choices=PARTS, help="run this part alone")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    measure: dict[str, Callable[[], dict[str, object]]] = {
        "engine": lambda: measure_engine(options.messages),
        "recording": lambda: measure_recording(options.messages),
        "fan-out": lambda: measure_fan_out(options.members, options.seconds),
        "stalled": lambda: measure_stalled(options.members, options.seconds),
        "sqlite": lambda: measure_sqlite_store(options.seconds, options.large),
        "stores": lambda: compare_stores(options.seconds),
        "storm": lambda: brave_storm(options.clients),
    }
    results: dict[str, object] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "python": platform.python_version(),
    }
    pin(0, 1)
    try:
        for part in PARTS if options.only is None else [options.only]:
            results |= measure[part]()
    except StormLost as lost:
        sys.exit(f"storm: {lost}")
    finally:
        if options.json is not None:
            options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
