"""What `SqliteStore` costs: against `executemany` alone, by senders, and by how much a room holds.

Both sides of a ratio use the same file system, take turns and are compared by their medians. The
`executemany` side does the least that keeps the same bytes: rows made beforehand, into the same
table, committed as often. It computes no link, checks no nonce, and waits for no other thread. In
small batches most of the difference is that wait; so the same is measured once more as a program
with an event loop must do it that never lets its loop wait for a disk: in a thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import anyio

from benchmarks.processes import say
from roomkit import Limits, SqliteStore
from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import Before, MessageRow, Nonce, Snapshot, Stored
from roomkit.ids import NodeId, RoomId
from roomkit.stores.sqlite.connections import open_writer

__all__ = ["append_ratios", "large_room_ratios", "measure_sqlite_store", "senders"]

Durability = Literal["sqlite-full", "sqlite-normal"]

FACT = b"x" * 200
ROOM = RoomId("general")
NODE = NodeId("node-1")
ROUNDS = 5
BATCH = 256  # appended between two snapshots, as a hub does it
LOOKS = 200
BATCHES = (1, 10, 100, 1_000)
SMALL = 1_000
DURABILITIES: tuple[Durability, ...] = ("sqlite-full", "sqlite-normal")


def measure_sqlite_store(seconds: float, large: int) -> dict[str, object]:
    """Measure all of it, and say what was found.

    Args:
        seconds: of each measurement.
        large: how many messages the large room has.
    """
    results: dict[str, object] = {}
    for durability in DURABILITIES:
        for batch in BATCHES:
            say(f"{durability}: append against executemany, batches of {batch} ...")
            found = append_ratios(durability, batch, seconds)
            results[f"{durability}, batches of {batch}"] = found
            say(
                f"  {found['append_per_s']:,.0f} messages/s, executemany "
                f"{found['executemany_per_s']:,.0f} rows/s: {found['ratio']:.2f} x; in a thread "
                f"{found['in_a_thread_per_s']:,.0f}: {found['ratio_to_thread']:.2f} x"
            )
        for count in (1, 100):
            say(f"{durability}: {count} sender(s), each waiting for its ack ...")
            rates = senders(durability, count, seconds)
            results[f"{durability}, {count} senders"] = rates
            say(
                f"  {rates['messages_per_s']:,.0f} messages/s, p50 {rates['p50_ms']:.2f} ms, "
                f"p99 {rates['p99_ms']:.2f} ms"
            )
    say(f"a room of {large:,} messages against one of {SMALL:,} (filling it takes a while) ...")
    ratios = large_room_ratios((SMALL, large))
    results[f"{large} messages / {SMALL}"] = ratios
    told = ", ".join(f"{what} {ratio:.2f} x" for what, ratio in ratios.items())
    say(f"  {told}")
    return results


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def append(counter: int, facts: int, room: RoomId = ROOM) -> Append:
    """One append of so many messages."""
    items = tuple(FactItem(None, FACT) for _ in range(facts))
    return Append(room, Nonce(NODE, counter), "", items, control=False)


# --------------------------------------------------------------------------- against executemany


def executemany(path: Path, durability: Durability, batch: int, seconds: float) -> float:
    """Return rows a second through `executemany` alone."""
    connection = _bare(path, durability)
    rows = 0
    begun = time.perf_counter()
    while (took := time.perf_counter() - begun) < seconds:
        _insert(connection, rows, batch)
        rows += batch
    connection.close()
    return rows / took


async def in_a_thread(path: Path, durability: Durability, batch: int, seconds: float) -> float:
    """Return rows a second through `executemany` in a thread, awaited by an event loop."""
    connection = _bare(path, durability)
    rows, loop = 0, asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as thread:
        begun = time.perf_counter()
        while (took := time.perf_counter() - begun) < seconds:
            await loop.run_in_executor(thread, _insert, connection, rows, batch)
            rows += batch
    connection.close()
    return rows / took


def _bare(path: Path, durability: Durability) -> sqlite3.Connection:
    connection = open_writer(str(path), durability)
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    return connection


def _insert(connection: sqlite3.Connection, first: int, batch: int) -> None:
    link = "0123456789abcdef"
    made = [(1, first + n, now(), link, link, FACT, 0) for n in range(batch)]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", made)
    connection.execute("COMMIT")


async def appended(path: Path, durability: Durability, batch: int, seconds: float) -> float:
    """Return messages a second through `append`, one call after the other."""
    store = SqliteStore(path, durability=durability)
    async with store.open():
        counter = 0
        begun = time.perf_counter()
        while (took := time.perf_counter() - begun) < seconds:
            counter += 1
            (outcome,) = await store.append([append(counter, batch)], now())
            assert isinstance(outcome, Stored)
    return counter * batch / took


def append_ratios(durability: Durability, batch: int, seconds: float) -> dict[str, float]:
    """Compare `append` with `executemany`, alone and in a thread, at batches of one size."""
    bare: list[float] = []
    threaded: list[float] = []
    ours: list[float] = []
    for _ in range(ROUNDS):
        with TemporaryDirectory(dir=".") as folder:
            path, turn = Path(folder), seconds / ROUNDS
            bare.append(executemany(path / "bare.db", durability, batch, turn))
            threaded.append(anyio.run(in_a_thread, path / "threaded.db", durability, batch, turn))
            ours.append(anyio.run(appended, path / "store.db", durability, batch, turn))
    append_per_s = statistics.median(ours)
    return {
        "executemany_per_s": statistics.median(bare),
        "in_a_thread_per_s": statistics.median(threaded),
        "append_per_s": append_per_s,
        "ratio": append_per_s / statistics.median(bare),
        "ratio_to_thread": append_per_s / statistics.median(threaded),
    }


# ------------------------------------------------------------------------------------- by senders


def senders(durability: Durability, count: int, seconds: float) -> dict[str, float]:
    """Return what so many senders get done, each in its own room and waiting for its ack."""
    latencies: list[float] = []

    async def send(store: SqliteStore, room: RoomId, until: float) -> None:
        counter = 0
        while (begun := time.perf_counter()) < until:
            counter += 1
            await store.append([append(counter, 1, room)], now())
            latencies.append(time.perf_counter() - begun)

    async def run() -> float:
        with TemporaryDirectory(dir=".") as folder:
            store = SqliteStore(Path(folder, "store.db"), durability=durability)
            async with store.open():
                begun = time.perf_counter()
                async with anyio.create_task_group() as tasks:
                    for number in range(count):
                        room = RoomId(f"room-{number}")
                        tasks.start_soon(send, store, room, begun + seconds)
                return time.perf_counter() - begun

    took = anyio.run(run)
    latencies.sort()
    return {
        "messages_per_s": len(latencies) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
    }


# ------------------------------------------------------------------------------- how much is held


async def fill(store: SqliteStore, messages: int) -> None:
    """Have a room of so many messages, appended and archived as a hub does it."""
    for counter in range(1, -(-messages // BATCH) + 1):
        size = min(BATCH, messages - (counter - 1) * BATCH)
        (outcome,) = await store.append([append(counter, size)], now())
        assert isinstance(outcome, Stored)
        rows = tuple(MessageRow(item.seq, FACT) for item in outcome.items)
        last = outcome.items[-1]
        assert await store.save(ROOM, Snapshot(last.position, 1, bytes(1_000)), rows, now())


async def looks(store: SqliteStore, messages: int) -> dict[str, float]:
    """Return microseconds that a join, a resume and a page take."""
    tip = (await store.tips([ROOM]))[ROOM].seq
    middle = messages // 2

    async def page(number: int) -> None:
        await store.page(ROOM, Before(middle + number), 50)

    async def join(number: int) -> None:
        await store.load(ROOM)

    async def resume(number: int) -> None:
        await store.read(ROOM, tip - 100, 100)

    async def median(look: Callable[[int], Awaitable[None]]) -> float:
        times: list[float] = []
        for number in range(LOOKS):
            begun = time.perf_counter()
            await look(number)
            times.append(time.perf_counter() - begun)
        return statistics.median(times) * 1e6

    return {"join": await median(join), "resume": await median(resume), "page": await median(page)}


def large_room_ratios(sizes: Sequence[int]) -> dict[str, float]:
    """Compare looks at a room of the last size with looks at one of the first."""

    async def run() -> dict[str, float]:
        with TemporaryDirectory(dir=".") as folder:
            measured: list[dict[str, list[float]]] = []
            stores = [
                SqliteStore(
                    Path(folder, f"{size}.db"),
                    durability="sqlite-normal",
                    limits=Limits(idempotency_ms=1),
                )
                for size in sizes
            ]
            async with stores[0].open(), stores[-1].open():
                for store, size in zip(stores, sizes, strict=True):
                    await fill(store, size)
                for _ in range(ROUNDS):
                    measured += [
                        {what: [took] for what, took in (await looks(store, size)).items()}
                        for store, size in zip(stores, sizes, strict=True)
                    ]
            return {
                what: statistics.median(one[what][0] for one in measured[1::2])
                / statistics.median(one[what][0] for one in measured[0::2])
                for what in measured[0]
            }

    return anyio.run(run)
