"""The whole server on each store: what it costs to keep messages instead of holding them in memory.

The same server and load, in turns, so that whatever else the machine does meets all stores alike.
With one message in flight a server on SQLite cannot be faster than its own work and one commit of
the file system, one after the other; that limit is measured in the same run and printed beside.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.load_generator.dialect import ROOMKIT
from benchmarks.load_generator.gathering import gather
from benchmarks.load_generator.talk import in_flight
from benchmarks.processes import say, server
from benchmarks.sqlite_store import DURABILITIES, executemany

__all__ = ["compare_stores"]

TURNS = 3
STORES = ("memory", *DURABILITIES)


class _Load(NamedTuple):
    """So many rooms of so many members, one of whom writes with so many messages in flight."""

    senders: int
    members: int
    window: int

    def __str__(self) -> str:
        rooms = "1 room" if self.senders == 1 else f"{self.senders} rooms"
        return f"{rooms} of {self.members}, 1 sender in each, {self.window} in flight"


LOADS = (_Load(1, 3, 1), _Load(1, 100, 1), _Load(1, 100, 16), _Load(100, 3, 1))


def compare_stores(seconds: float) -> dict[str, object]:
    """Return messages a second by load and store, medians, and each store against memory.

    Args:
        seconds: of each of the measurements: 3 turns of 4 loads on 3 stores.
    """
    results: dict[str, object] = {}
    for load in LOADS:
        say(f"roomkit on each store: {load}, {TURNS} x {seconds:g} s ...")
        rates: dict[str, list[float]] = {store: [] for store in STORES}
        commits: dict[str, list[float]] = {store: [] for store in DURABILITIES}
        for _ in range(TURNS):
            for store in STORES:
                rates[store].append(_rate(store, load, seconds))
            for durability in DURABILITIES:
                with tempfile.TemporaryDirectory() as folder:
                    rate = executemany(Path(folder, "bare.db"), durability, 1, seconds / 4)
                commits[durability].append(rate)
        memory = statistics.median(rates["memory"])
        for store in STORES:
            rate = statistics.median(rates[store])
            figures = {"messages_per_s": rate, "ratio": rate / memory}
            told = f"  {store}: {rate:,.0f} messages/s, {rate / memory:.2f} x memory"
            if store in commits and (load.senders, load.window) == (1, 1):
                commit = statistics.median(commits[store])
                figures["ratio_possible"] = commit / (commit + memory)
                told += f" (at most {figures['ratio_possible']:.2f} with one in flight)"
            results[f"{store}, {load}"] = figures
            say(told)
    return results


def _rate(store: str, load: _Load, seconds: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        kept = () if store == "memory" else (str(Path(folder, "chat.db")), store)
        with server("websockets", *kept) as running:
            rooms = [f"room-{number}" for number in range(load.senders)]
            crowd, publishers = gather(ROOMKIT, running.port, rooms, load.members, 1)
            said = in_flight(crowd, publishers, load.window, seconds)
            crowd.close()
            return said.messages / said.seconds
