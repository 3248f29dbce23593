"""Appends: one call in flight per lane. Everything else: beside them. Every call is answered."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import TaskGroup

from roomkit import MemoryStore
from roomkit.core.effects import (
    Append,
    Effect,
    FactItem,
    FindLapsed,
    Follow,
    LoadRoom,
    PageMessages,
    ReadLog,
    ReadTips,
    Renew,
    SaveRoom,
    SendToNodes,
    StoreEffect,
    Unfollow,
)
from roomkit.core.inputs import (
    Appended,
    Input,
    LapsedFound,
    LeaseRenewed,
    LogRead,
    MessagesPaged,
    RoomLoaded,
    RoomSaved,
    TipsRead,
)
from roomkit.core.storage import (
    Before,
    Entry,
    Nonce,
    Outcome,
    RoomRecord,
    Snapshot,
    Stored,
    Unknown,
)
from roomkit.errors import StoreError
from roomkit.ids import ORIGIN, NodeId, RoomId
from roomkit.limits import Limits
from roomkit.runtime.complaints import Complaints
from roomkit.runtime.lanes import CALLS_AT_ONCE, StoreCalls
from tests.runtime.faulty_store import FaultyStore
from tests.runtime.scripted import eventually

LOBBY, GARDEN = RoomId("lobby"), RoomId("garden")
NODE = NodeId("node")
NOT_SAID = Unknown("the call failed, or took too long")
OTHERS: list[tuple[StoreEffect, str, Input | None]] = [
    (ReadLog(LOBBY, 3, 10), "read", LogRead(LOBBY, 3, None)),
    (LoadRoom(LOBBY), "load", RoomLoaded(LOBBY, None)),
    (
        SaveRoom(LOBBY, Snapshot(ORIGIN, 1, b""), ()),
        "save",
        RoomSaved(LOBBY, ORIGIN, False),
    ),
    (PageMessages(LOBBY, 7, Before(9), 10), "page", MessagesPaged(LOBBY, 7, None)),
    (ReadTips((LOBBY,)), "tips", TipsRead((LOBBY,), None)),
    (Renew(NODE, 1000), "renew", LeaseRenewed(NODE, False)),
    (FindLapsed((NODE,)), "lapsed", LapsedFound(())),
    (Follow(LOBBY), "follow", None),
    (Unfollow(LOBBY), "unfollow", None),
    (SendToNodes(LOBBY, b"typing"), "signal", None),
]


class Calls:
    """Store calls over a faulty store, and the inputs they answered with."""

    def __init__(self, tasks: TaskGroup, lanes: int = 1, unanswered_ms: int = 10_000) -> None:
        self.store = FaultyStore(lanes)
        self.answers: list[Input] = []
        limits = Limits(unanswered_ms=unanswered_ms)
        self.calls = StoreCalls(self.store, limits, self.answers.append, tasks, Complaints())

    def perform(self, *effects: StoreEffect) -> None:
        for effect in effects:
            self.calls.perform(effect)

    async def answered(self) -> list[Input]:
        """Every answer so far, once there is none to wait for."""
        with anyio.fail_after(10):
            await self.calls.settled()
        return self.answers


@asynccontextmanager
async def calling(lanes: int = 1, unanswered_ms: int = 10_000) -> AsyncGenerator[Calls]:
    finished = False
    async with anyio.create_task_group() as tasks:
        yield Calls(tasks, lanes, unanswered_ms)
        finished = True
        tasks.cancel_scope.cancel()
    assert finished, "a lane took the whole group down with it"


def append(room: RoomId, counter: int) -> Append:
    return Append(room, Nonce(NODE, counter), "", (FactItem(None, b"hello"),), control=False)


def stored(answer: Input) -> tuple[RoomId, int, list[int]]:
    """The room and nonce answered, and the seqs of the entries made."""
    assert isinstance(answer, Appended)
    assert isinstance(answer.outcome, Stored)
    seqs = [item.seq for item in answer.outcome.items if isinstance(item, Entry)]
    return answer.room, answer.nonce.counter, seqs


async def test_appends_that_come_while_one_is_on_its_way_go_together() -> None:
    async with calling() as calls:
        gate = calls.store.gates["append"] = anyio.Event()
        calls.perform(append(LOBBY, 1))
        await anyio.wait_all_tasks_blocked()
        calls.perform(append(GARDEN, 2), append(LOBBY, 3))
        await anyio.wait_all_tasks_blocked()
        assert calls.store.appends == [[LOBBY]]
        gate.set()
        answers = await calls.answered()
        assert calls.store.appends == [[LOBBY], [GARDEN, LOBBY]]
        assert [stored(answer) for answer in answers] == [
            (LOBBY, 1, [1]),
            (GARDEN, 2, [1]),
            (LOBBY, 3, [2]),
        ]
        assert calls.store.most == {"append 0": 1}


async def test_lanes_do_not_wait_for_each_other() -> None:
    async with calling(lanes=2) as calls:
        gate = calls.store.gates["append"] = anyio.Event()
        calls.perform(append(LOBBY, 1), append(GARDEN, 2), append(LOBBY, 3))
        await anyio.wait_all_tasks_blocked()
        assert calls.store.running == {"append 1": 1, "append 0": 1}
        gate.set()
        await calls.answered()
        assert calls.store.most == {"append 1": 1, "append 0": 1}


async def test_an_append_that_raises_is_unknown_and_the_lane_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with calling() as calls:
        calls.store.trouble["append"] = StoreError("the disk is full: make room")
        calls.perform(append(LOBBY, 1), append(GARDEN, 2))
        assert await calls.answered() == [
            Appended(LOBBY, Nonce(NODE, 1), NOT_SAID),
            Appended(GARDEN, Nonce(NODE, 2), NOT_SAID),
        ]
        calls.store.trouble.clear()
        calls.perform(append(LOBBY, 1))
        assert stored((await calls.answered())[-1]) == (LOBBY, 1, [1])
    assert "the store's append() failed" in caplog.text
    assert "StoreError: the disk is full: make room" in caplog.text


async def test_an_append_that_takes_too_long_is_unknown() -> None:
    async with calling(unanswered_ms=10) as calls:
        calls.store.gates["append"] = anyio.Event()
        calls.perform(append(LOBBY, 1))
        assert await calls.answered() == [Appended(LOBBY, Nonce(NODE, 1), NOT_SAID)]
        assert calls.store.running["append 0"] == 0


async def test_an_append_cancelled_from_inside_is_unknown_and_the_lane_goes_on() -> None:
    """As when a store waits for a future of its own that somebody cancels."""
    async with calling() as calls:
        calls.store.trouble["append"] = anyio.get_cancelled_exc_class()
        calls.perform(append(LOBBY, 1))
        assert await calls.answered() == [Appended(LOBBY, Nonce(NODE, 1), NOT_SAID)]
        calls.store.trouble.clear()
        calls.perform(append(LOBBY, 1))
        assert stored((await calls.answered())[-1]) == (LOBBY, 1, [1])


async def test_a_store_that_forgets_an_outcome_makes_all_of_them_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def forgetful(appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        return [Stored(())]

    async with calling() as calls:
        monkeypatch.setattr(calls.store, "append", forgetful)
        calls.perform(append(LOBBY, 1), append(GARDEN, 2))
        assert await calls.answered() == [
            Appended(LOBBY, Nonce(NODE, 1), NOT_SAID),
            Appended(GARDEN, Nonce(NODE, 2), NOT_SAID),
        ]


@pytest.mark.parametrize(("effect", "name", "failed"), OTHERS, ids=lambda value: str(value)[:20])
async def test_every_other_call_that_raises_is_answered_as_failed(
    effect: Effect, name: str, failed: Input | None
) -> None:
    async with calling() as calls:
        calls.store.trouble[name] = OSError("the network is down")
        calls.perform(effect)  # type: ignore[arg-type]  # each of the table is a store effect
        assert await calls.answered() == ([] if failed is None else [failed])
        assert calls.store.calls == [name]


@pytest.mark.parametrize(("effect", "name", "failed"), OTHERS, ids=lambda value: str(value)[:20])
async def test_every_other_call_that_takes_too_long_is_answered_as_failed(
    effect: Effect, name: str, failed: Input | None
) -> None:
    async with calling(unanswered_ms=10) as calls:
        calls.store.gates[name] = anyio.Event()
        calls.perform(effect)  # type: ignore[arg-type]  # each of the table is a store effect
        assert await calls.answered() == ([] if failed is None else [failed])


async def test_every_other_call_is_answered_with_what_the_store_says() -> None:
    async with calling() as calls:
        calls.perform(append(LOBBY, 1))
        await calls.answered()
        calls.answers.clear()
        entries = (await calls.store.store.load(LOBBY)).entries
        assert len(entries) == 1
        calls.perform(Renew(NODE, 60_000))
        await calls.answered()
        calls.perform(FindLapsed((NODE, NodeId("gone"))))
        await calls.answered()
        calls.perform(LoadRoom(LOBBY))
        assert await calls.answered() == [
            LeaseRenewed(NODE, True),
            LapsedFound((NodeId("gone"),)),
            RoomLoaded(LOBBY, RoomRecord(None, entries, ())),
        ]


async def test_so_many_calls_go_beside_and_leases_never_wait() -> None:
    async with calling() as calls:
        gate = calls.store.gates["page"] = anyio.Event()
        for page in range(CALLS_AT_ONCE + 5):
            calls.perform(PageMessages(LOBBY, page, Before(9), 10))
        await anyio.wait_all_tasks_blocked()
        calls.perform(append(LOBBY, 1), Renew(NODE, 1000), FindLapsed((NODE,)))
        await eventually(lambda: len(calls.answers) == 3)
        assert calls.store.running["beside"] == CALLS_AT_ONCE
        gate.set()
        answers = await calls.answered()
        pages = {answer.page for answer in answers if isinstance(answer, MessagesPaged)}
        assert pages == set(range(CALLS_AT_ONCE + 5))
        assert calls.store.most["beside"] == CALLS_AT_ONCE


async def test_a_room_is_followed_unfollowed_and_loaded_in_the_order_asked_for() -> None:
    async with calling() as calls:
        gate = calls.store.gates["follow"] = anyio.Event()
        calls.perform(Follow(LOBBY), LoadRoom(LOBBY), Unfollow(LOBBY), Follow(LOBBY))
        await anyio.wait_all_tasks_blocked()
        assert (calls.store.calls, calls.answers) == (["follow"], [])
        gate.set()
        await calls.answered()
        assert calls.store.calls == ["follow", "load", "unfollow", "follow"]


async def test_rooms_do_not_wait_for_each_other() -> None:
    async with calling() as calls:
        gate = calls.store.gates["load"] = anyio.Event()
        calls.perform(LoadRoom(LOBBY), LoadRoom(GARDEN))
        await anyio.wait_all_tasks_blocked()
        assert calls.store.running["beside"] == 2
        gate.set()
        assert len(await calls.answered()) == 2


async def test_what_is_kept_in_this_process_is_appended_without_a_lane() -> None:
    answers: list[Input] = []
    async with anyio.create_task_group() as tasks:
        calls = StoreCalls(MemoryStore(), Limits(), answers.append, tasks, Complaints())
        calls.perform(append(LOBBY, 1))
        calls.perform(append(GARDEN, 2))
        stored, other = [answer for answer in answers if isinstance(answer, Appended)]
        assert (stored.nonce.counter, other.nonce.counter) == (1, 2)
        assert isinstance(stored.outcome, Stored) and isinstance(other.outcome, Stored)
        with anyio.fail_after(10):
            await calls.settled()
        tasks.cancel_scope.cancel()


async def test_an_append_in_this_process_that_fails_is_answered_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers: list[Input] = []
    async with anyio.create_task_group() as tasks:
        calls = StoreCalls(MemoryStore(), Limits(), answers.append, tasks, Complaints())
        calls.perform(Append(LOBBY, Nonce(NODE, 1), "", (), control=False))
        tasks.cancel_scope.cancel()
    assert answers == [Appended(LOBBY, Nonce(NODE, 1), Unknown("the call failed"))]
    assert "the store's append() failed" in caplog.text


async def test_a_store_made_from_the_one_in_memory_is_asked_as_any_other() -> None:
    class Counting(MemoryStore):
        calls = 0

        async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
            self.calls += 1
            return await super().append(appends, now)

    answers: list[Input] = []
    store = Counting()
    async with anyio.create_task_group() as tasks:
        calls = StoreCalls(store, Limits(), answers.append, tasks, Complaints())
        calls.perform(append(LOBBY, 1))
        assert answers == []
        with anyio.fail_after(10):
            await calls.settled()
        tasks.cancel_scope.cancel()
    assert store.calls == len(answers) == 1
