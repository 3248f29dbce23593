"""Any history at all: random appends, saves and looks, each answer compared with the model's.

Hypothesis calls a plain function many times, and an example must start from an empty store; so the
test is synchronous and every example is an `anyio.run` of its own, on the other tests' backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import (
    After,
    Around,
    Before,
    Entry,
    Nonce,
    Outcome,
    PageQuery,
    Snapshot,
    Stored,
)
from roomkit.ids import NodeId, Position, RoomId
from roomkit.limits import Limits
from roomkit.stores.base import Store
from roomkit.testing.store_laws.base import StoreLaws
from roomkit.testing.store_laws.model import ModelRoom
from roomkit.testing.store_laws.writing import MINUTE_MS, rows, wall

__all__ = ["ModelLaws"]

ROOMS = [RoomId("attic"), RoomId("lobby")]
NODES = [NodeId("node-1"), NodeId("node-2")]
DAY_MS = 24 * 60 * MINUTE_MS

Backend = str | tuple[str, dict[str, object]]


@dataclass(frozen=True)
class Write:
    """One append. `nonce` and `fence` are said relative to what has happened before."""

    room: RoomId
    node: NodeId
    nonce: Literal["next", "repeated", "older"]
    fence: Literal["right", "empty", "older", "invented"]
    facts: tuple[tuple[str | None, bytes], ...]
    control: bool
    after: Literal["none", "tip", "first", "trimmed", "lost"]
    elapsed_ms: int


@dataclass(frozen=True)
class Save:
    """A snapshot `back` entries before the tip, and messages at these distances from it."""

    room: RoomId
    back: int
    forked: bool
    format: int
    messages: frozenset[int]
    body: str


@dataclass(frozen=True)
class Look:
    """Everything there is to read about a room."""

    room: RoomId
    after: int
    query: PageQuery
    limit: int


Step = Write | Save | Look


def histories(limits: Limits) -> st.SearchStrategy[list[tuple[int, Step]]]:
    """Lists of steps, each with the handle, of two, that it is done by."""
    room, seq = st.sampled_from([*ROOMS, ROOMS[0], ROOMS[0]]), st.integers(0, 80)
    fact = st.tuples(st.sampled_from([None, None, "k", "j"]), st.binary(max_size=3))
    write = st.builds(
        Write,
        room=room,
        node=st.sampled_from(NODES),
        nonce=st.sampled_from(["next"] * 4 + ["repeated", "older"]),
        fence=st.sampled_from(["right"] * 5 + ["empty", "older", "invented"]),
        facts=st.lists(fact, min_size=1, max_size=12).map(tuple),
        control=st.sampled_from([False, False, True]),
        after=st.sampled_from(["none"] * 3 + ["tip", "tip", "first", "trimmed", "lost"]),
        # Three of the longer ones outlast a key, two do not; none ends when a key does.
        elapsed_ms=st.sampled_from([0, 1, 200, -50, 2 * limits.idempotency_ms // 5]),
    )
    save = st.builds(
        Save,
        room=room,
        back=st.integers(-1, 6),
        forked=st.sampled_from([False, False, False, True]),
        format=st.sampled_from([1, 1, 1, 2]),
        messages=st.frozensets(st.integers(-2, 12), max_size=8),
        body=st.sampled_from(["first", "edited"]),
    )
    query = st.one_of(*(st.builds(kind, seq) for kind in (Before, After, Around)))
    look = st.builds(Look, room=room, after=seq, query=query, limit=st.integers(1, 9))
    step: st.SearchStrategy[Step] = st.one_of(write, write, save, look)
    done = st.tuples(st.integers(0, 1), step)
    # A length first: left to itself, Hypothesis seldom makes a list long enough to be trimmed.
    return st.integers(0, 60).flatmap(lambda n: st.lists(done, min_size=n, max_size=n))


class Comparison:
    """Two handles on one store, the model of what it must hold, and a clock that may go back."""

    def __init__(self, limits: Limits, handles: Sequence[Store]) -> None:
        self.handles = handles
        self.models = {room: ModelRoom(limits) for room in ROOMS}
        self.counters = dict.fromkeys(NODES, 10)
        self.now = wall()
        self.day_ends = self.now + DAY_MS

    async def take(self, handle: int, step: Step) -> None:
        store = self.handles[handle]
        match step:
            case Write():
                await self.write(store, step)
            case Save():
                await self.save(store, step)
            case Look():
                await self.look(store, step.room, step.after, step.query, step.limit)

    async def write(self, store: Store, step: Write) -> None:
        model = self.models[step.room]
        if step.nonce == "next":
            self.counters[step.node] += 1
        counter = self.counters[step.node] - (step.nonce == "older")
        fences = ["", *(entry.link for entry in model.written if entry.control)]
        fence = {
            "right": model.fence,
            "empty": "",
            "older": fences[max(0, len(fences) - 2)],
            "invented": "0" * 16,
        }
        keys = [key for key, _ in step.facts]
        if step.control:
            keys[-1] = None  # keys are for messages; what a known control fact would mean is open
        facts = tuple(FactItem(key, fact) for key, (_, fact) in zip(keys, step.facts, strict=True))
        nonce = Nonce(step.node, counter)
        after = {
            "none": None,
            "tip": Position(model.tip.seq, model.tip.link),
            "first": model.kept[0].position if model.kept else Position(1, "0" * 16),
            "trimmed": model.written[0].position if model.written else Position(1, "0" * 16),
            "lost": Position(model.tip.seq + 1, "0" * 16),
        }
        append = Append(step.room, nonce, fence[step.fence], facts, step.control, after[step.after])
        now = self.now + step.elapsed_ms
        if now >= self.day_ends:  # the nonces of the first steps may be forgotten from here on
            now = self.now
        (outcome,) = await store.append([append], now)
        assert outcome == model.append(append, now, first_prev(outcome))
        self.now = max(self.now, now)

    async def save(self, store: Store, step: Save) -> None:
        model = self.models[step.room]
        seq = model.tip.seq - step.back
        links = {entry.seq: entry.link for entry in model.written}
        link = "0" * 16 if step.forked else links.get(seq, model.tip.link)
        snapshot = Snapshot(Position(seq, link), step.format, b"state %d" % seq)
        messages = rows(*sorted(seq - back for back in step.messages if seq > back), body=step.body)
        kept = await store.save(step.room, snapshot, messages, self.now)
        assert kept == model.save(snapshot, messages, self.now)

    async def look(
        self, store: Store, room: RoomId, after: int, query: PageQuery, limit: int
    ) -> None:
        model = self.models[room]
        written = [name for name, other in self.models.items() if other.written]
        for seq in (after, model.snapshot_seq, model.tip.seq):
            assert await store.read(room, seq, limit) == model.read(seq, limit)
        assert await store.load(room) == model.load()
        assert await store.page(room, query, limit) == model.page(query, limit)
        assert dict(await store.tips(ROOMS)) == {name: self.models[name].tip for name in written}
        assert list(await store.rooms(None, 10)) == written


def first_prev(outcome: Outcome) -> str:
    """Return what the store drew if this made the log, and anything at all otherwise."""
    first = outcome.items[0] if isinstance(outcome, Stored) else None
    return first.prev if isinstance(first, Entry) else ""


class ModelLaws(StoreLaws):
    def test_any_history_agrees_with_the_model(self, anyio_backend: Backend) -> None:
        """What a failure prints is the shortest history Hypothesis found that still fails."""
        name, options = (anyio_backend, {}) if isinstance(anyio_backend, str) else anyio_backend

        # Made anew for each call: Hypothesis ties what it decorates to one instance of the suite.
        @settings(
            max_examples=self.histories or settings().max_examples,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(histories(self.limits))
        def agrees(history: list[tuple[int, Step]]) -> None:
            anyio.run(self.compare, history, backend=name, backend_options=options)

        agrees()

    async def compare(self, history: list[tuple[int, Step]]) -> None:
        async with self.handles(2) as handles:
            comparison = Comparison(self.limits, handles)
            for handle, step in history:
                await comparison.take(handle, step)
            for store in handles:
                for room in ROOMS:
                    await comparison.look(store, room, 0, After(0), 1_000)
