"""What each operation of `RedisStore` takes: processor time and memory of a real Valkey.

Each is done over and over, alone, as a deployment with little to batch does it: one append in a
call. What a subscriber adds is the difference that eight of them make.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import anyio

from benchmarks.processes import Server, say
from benchmarks.scale.model import Costs
from benchmarks.valkey import fact_of, valkey
from roomkit.core import facts
from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import MessageRow, Nonce, Snapshot, Stored
from roomkit.ids import NodeId, Position, RoomId, UserId
from roomkit.stores.redis import RedisStore

__all__ = ["TEXT", "measure"]

TEXT = "The quick brown fox jumps over the lazy dog, and nobody knows why it did so at last. "
_FACT = facts.encode(facts.Posted(UserId("user-1"), "alice", TEXT))
_LOBBY = RoomId("lobby")
_NODE = NodeId("node-1")
_EARS = 8
_ROOMS = [RoomId(f"room-{number}") for number in range(1_000)]
_ENTRIES = 256
_LEASES = [NodeId(f"node-{number}") for number in range(50)]
_LOOK_S = 2.0


def measure(seconds: float) -> Costs:
    """Measure all of it.

    Args:
        seconds: of each operation.
    """
    with valkey() as server:
        return asyncio.run(_Measuring(server, seconds).all())


class _Measuring:
    def __init__(self, server: Server, seconds: float) -> None:
        self._server = server
        self._seconds = seconds
        self._store = RedisStore(f"redis://127.0.0.1:{server.port}")
        self._counter = 0

    async def all(self) -> Costs:
        say("what each operation takes of the server's processor:")
        store = self._store
        async with store.open():
            append = await self._cost("append", self._append)
            copy, signal, hint_bytes = await self._copies(append)
            await store.append([self._facts(room, 1) for room in _ROOMS], 0)
            tip = await self._cost("tip", lambda: store.tips(_ROOMS), len(_ROOMS))
            load = await self._cost("load", lambda: store.load(_ROOMS[0]))
            many = await self._cost("256 facts in one append", self._append_many)
            both = await self._cost("the same, saved", self._append_and_save)
            lease = await self._cost("lease", lambda: store.renew(_NODE, 45_000))
            lapsed = await self._cost("lapsed", lambda: store.lapsed(_LEASES), len(_LEASES))
            look = await self._look()
            memory = await self._memory()
        return Costs(
            append=append,
            copy=copy,
            signal=signal,
            tip=tip,
            load=load,
            save=max(0.0, both - many),
            lease=lease,
            lapsed=lapsed,
            look=look,
            hint_bytes=hint_bytes,
            **memory,
        )

    def _facts(self, room: RoomId, count: int) -> Append:
        self._counter += 1
        items = (FactItem(None, _FACT),) * count
        return Append(room, Nonce(_NODE, self._counter), "", items, control=False)

    async def _append(self) -> None:
        await self._store.append([self._facts(_LOBBY, 1)], 0)

    async def _append_many(self) -> Position:
        (outcome,) = await self._store.append([self._facts(_ROOMS[1], _ENTRIES)], 0)
        assert isinstance(outcome, Stored)
        return Position(outcome.items[-1].seq, outcome.items[-1].link)

    async def _append_and_save(self) -> None:
        last = await self._append_many()
        assert await self._save(_ROOMS[1], last, _ENTRIES)

    async def _save(self, room: RoomId, last: Position, count: int) -> bool:
        seqs = range(last.seq - count + 1, last.seq + 1)
        rows = [MessageRow(seq, _FACT) for seq in seqs]
        return await self._store.save(room, Snapshot(last, 1, b"x" * 1_000), rows, 0)

    async def _copies(self, append: float) -> tuple[float, float, float]:
        """Return what a subscriber adds, what a signal takes beside that, and a hint's bytes."""
        async with AsyncExitStack() as ears:
            for _ in range(_EARS):
                ear = self._store.another()
                await ears.enter_async_context(ear.open())
                await ear.follow(_LOBBY)
            sent = fact_of(self._server.port, "stats", "total_net_output_bytes")
            appends = self._counter
            heard = await self._cost("append that eight nodes hear", self._append)
            sent = fact_of(self._server.port, "stats", "total_net_output_bytes") - sent
            copy = max(0.0, heard - append) / _EARS
            payload = b"x" * 60
            told = await self._cost(
                "signal that eight nodes hear", lambda: self._store.signal(_LOBBY, payload)
            )
            return copy, max(0.0, told - _EARS * copy), sent / (self._counter - appends) / _EARS

    async def _look(self) -> float:
        """Handles that listen and hear nothing look at their server now and then."""
        async with AsyncExitStack() as ears:
            for number in range(len(_LEASES)):
                ear = self._store.another()
                await ears.enter_async_context(ear.open())
                await ear.follow(_ROOMS[number])
            period = max(2 * _LOOK_S, self._seconds)
            before = sum(self._server.usage())
            await anyio.sleep(period)
            used = sum(self._server.usage()) - before
        look = used / (len(_LEASES) * period / _LOOK_S) * 1e6
        say(f"  look: {look:.1f} µs")
        return look

    async def _memory(self) -> dict[str, float]:
        """Return the bytes that a room, an entry, a message and a subscription take."""
        rooms = [RoomId(f"other-{number}") for number in range(len(_ROOMS))]
        room = await self._grown(self._append_to(rooms, 1), len(rooms))
        some = rooms[:50]
        entry = await self._grown(self._append_to(some, _ENTRIES), len(some) * _ENTRIES)
        message = await self._grown(self._save_all(some), len(some) * _ENTRIES)
        ear = self._store.another()
        async with ear.open():
            await ear.follow(_LOBBY)
            subscription = await self._grown(_follow(ear, rooms), len(rooms))
        return {
            "room_bytes": room,
            "entry_bytes": entry,
            "message_bytes": message,
            "subscription_bytes": subscription,
        }

    async def _append_to(self, rooms: Sequence[RoomId], count: int) -> None:
        await self._store.append([self._facts(room, count) for room in rooms], 0)

    async def _save_all(self, rooms: Sequence[RoomId]) -> None:
        tips = await self._store.tips(rooms)
        for room, tip in tips.items():
            assert await self._save(room, Position(tip.seq, tip.link), _ENTRIES)

    async def _grown(self, work: Awaitable[None], each: int) -> float:
        before = fact_of(self._server.port, "memory", "used_memory")
        await work
        return (fact_of(self._server.port, "memory", "used_memory") - before) / each

    async def _cost(self, name: str, call: Callable[[], Awaitable[object]], each: int = 1) -> float:
        """Return microseconds of the server's processor that a call takes."""
        await call()
        before, calls = sum(self._server.usage()), 0
        until = anyio.current_time() + self._seconds
        while anyio.current_time() < until:
            await call()
            calls += 1
        taken = (sum(self._server.usage()) - before) / calls / each * 1e6
        say(f"  {name}: {taken:.1f} µs")
        return taken


async def _follow(store: RedisStore, rooms: Sequence[RoomId]) -> None:
    for room in rooms:
        await store.follow(room)
