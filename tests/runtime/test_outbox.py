"""The outbox is bounded, sheds what may be lost in the order promised, and loses nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Literal

import anyio
from hypothesis import given
from hypothesis import strategies as st

from roomkit.limits import Limits
from roomkit.runtime.batches import Batch, Grade, seal
from roomkit.runtime.outbox import PROMPT_BYTES, Outbox
from tests.runtime.prompt_socket import PromptSocket

LIMITS = Limits(outbox_soft_bytes=100, outbox_hard_bytes=200, snapshot_bytes=200)
DURABLE, SIGNAL, OCCUPANCY, TYPING = Grade


@dataclass
class Overflows:
    """Counts how often the outbox asked to be closed."""

    count: int = 0

    def __call__(self) -> None:
        self.count += 1


def no_writer() -> None:
    """Whoever tests takes what is written."""


@dataclass
class Bounded:
    overflows: Overflows = field(default_factory=Overflows)

    def __post_init__(self) -> None:
        self.outbox = Outbox(LIMITS, self.overflows, no_writer)


def frame(letter: str, size: int) -> bytes:
    return letter.encode() * size


def test_frames_come_out_in_the_order_they_went_in() -> None:
    outbox = Bounded().outbox
    outbox.push(seal([b"a", b"b"], DURABLE))
    outbox.push(seal([b"c"], TYPING))
    assert outbox.take() == [b"a", b"b", b"c"]
    assert outbox.take() == ()


def test_one_batch_is_handed_on_as_it_is() -> None:
    batch = seal([b"a", b"b"], DURABLE)
    first, second = Bounded().outbox, Bounded().outbox
    first.push(batch)
    second.push(batch)
    assert first.take() is second.take() is batch.frames


def test_bytes_in_flight_are_counted_until_they_are_sent() -> None:
    outbox = Bounded().outbox
    outbox.push(seal([frame("a", 60)], DURABLE))
    outbox.take()
    outbox.push(seal([frame("b", 30)], DURABLE))
    assert outbox.waiting == 90
    outbox.sent()
    assert outbox.waiting == 30


def test_above_the_soft_limit_typing_goes_first_then_occupancy_then_signals() -> None:
    outbox = Bounded().outbox
    for letter, grade in (("s", SIGNAL), ("o", OCCUPANCY), ("t", TYPING), ("d", DURABLE)):
        outbox.push(seal([frame(letter, 25)], grade))
    assert (outbox.waiting, outbox.shed) == (100, 0)

    left = []
    for letter in "efg":
        outbox.push(seal([frame(letter, 25)], DURABLE))
        left.append("".join(chr(one[0]) for one in copy(outbox).take()))
    assert left == ["sode", "sdef", "defg"]
    assert (outbox.waiting, outbox.shed) == (100, 3)


def test_above_the_soft_limit_what_is_ephemeral_is_shed_as_it_arrives() -> None:
    outbox = Bounded().outbox
    outbox.push(seal([frame("d", 120)], DURABLE))
    for grade in (SIGNAL, OCCUPANCY, TYPING):
        outbox.push(seal([b"x"], grade))
    assert (outbox.waiting, outbox.shed) == (120, 3)
    assert [bytes(sent) for sent in outbox.take()] == [frame("d", 120)]


def test_shedding_from_a_shared_batch_leaves_it_whole_for_others() -> None:
    batch = Batch([frame("d", 60), frame("t", 60)], 120, [DURABLE, TYPING])
    slow, other = Bounded().outbox, Bounded().outbox
    slow.push(batch)
    other.push(seal([b"x"], DURABLE))
    assert slow.take() == [frame("d", 60)]
    assert batch.frames == [frame("d", 60), frame("t", 60)]


def test_above_the_hard_limit_everything_queued_goes_and_the_owner_is_told_once() -> None:
    bounded = Bounded()
    outbox = bounded.outbox
    outbox.push(seal([frame("a", 90)], DURABLE))
    outbox.take()
    outbox.push(seal([frame("b", 90)], DURABLE))
    outbox.push(seal([frame("c", 90)], DURABLE))
    assert (outbox.waiting, bounded.overflows.count) == (90, 1)
    outbox.push(seal([frame("d", 90)], DURABLE))
    outbox.sent()
    assert (outbox.waiting, outbox.take(), bounded.overflows.count) == (0, (), 1)


def test_a_sealed_outbox_gives_what_it_has_and_takes_nothing_more() -> None:
    outbox = Bounded().outbox
    outbox.push(seal([b"a"], DURABLE))
    outbox.seal()
    outbox.push(seal([b"b"], DURABLE))
    assert (outbox.take(), outbox.waiting) == ([b"a"], 1)


async def test_the_writer_is_begun_when_first_needed_and_looks_when_it_is_woken() -> None:
    looked: list[list[bytes]] = []

    async def write() -> None:
        looked.append(list(outbox.take()))
        await outbox.wait()
        looked.append(list(outbox.take()))

    async with anyio.create_task_group() as tasks:
        outbox = Outbox(LIMITS, refuse_overflow, lambda: tasks.start_soon(write))
        outbox.push(seal([b"a"], DURABLE))
        await anyio.wait_all_tasks_blocked()
        assert looked == []
        outbox.wake()
        await anyio.wait_all_tasks_blocked()
        assert looked == [[b"a"]]
        outbox.push(seal([b"b"], DURABLE))
        await anyio.wait_all_tasks_blocked()
        outbox.push(seal([b"c"], DURABLE))
        assert looked == [[b"a"]]
        outbox.wake()
    assert looked == [[b"a"], [b"b", b"c"]]


Written = tuple[Outbox, list[list[bytes]]]


@asynccontextmanager
async def written(socket: PromptSocket, limits: Limits = LIMITS) -> AsyncGenerator[Written]:
    """An outbox before a socket, and what its writer wrote."""
    wrote: list[list[bytes]] = []

    async def write() -> None:
        while True:
            wrote.append(list(outbox.take()))
            outbox.sent()
            await outbox.wait()

    async with anyio.create_task_group() as tasks:
        outbox = Outbox(limits, refuse_overflow, lambda: tasks.start_soon(write), socket)
        yield outbox, wrote
        tasks.cancel_scope.cancel()


async def test_a_socket_that_keeps_up_is_written_to_at_once() -> None:
    socket = PromptSocket()
    async with written(socket) as (outbox, wrote):
        outbox.push(seal([b"a", b"b"], DURABLE))
        outbox.push(seal([b"c"], TYPING))
        outbox.flush()
        assert socket.written == [[b"a", b"b", b"c"]]
        assert (outbox.waiting, outbox.delivered) == (0, 3)
        outbox.flush()
        await anyio.wait_all_tasks_blocked()
        assert (len(socket.written), wrote) == (1, [])


async def test_a_socket_that_is_full_is_left_to_the_writer() -> None:
    socket = PromptSocket()
    async with written(socket) as (outbox, wrote):
        socket.tell(False)
        outbox.push(seal([b"a"], DURABLE))
        outbox.flush()
        assert outbox.waiting == 1
        socket.tell(True)
        outbox.push(seal([b"b"], DURABLE))
        outbox.flush()  # the writer is on its way to the first and takes the second along
        await anyio.wait_all_tasks_blocked()
        assert (socket.written, wrote) == ([], [[b"a", b"b"]])
        assert (outbox.waiting, outbox.delivered) == (0, 2)


async def test_a_socket_that_breaks_is_left_to_the_writer() -> None:
    socket = PromptSocket()
    socket.broken = True
    async with written(socket) as (outbox, wrote):
        outbox.push(seal([b"a"], DURABLE))
        outbox.flush()
        await anyio.wait_all_tasks_blocked()
        assert wrote == [[b"a"]]


async def test_more_than_a_socket_should_buffer_is_left_to_the_writer() -> None:
    socket = PromptSocket()
    async with written(socket, Limits()) as (outbox, wrote):
        outbox.push(seal([frame("a", PROMPT_BYTES + 1)], DURABLE))
        outbox.flush()
        await anyio.wait_all_tasks_blocked()
        assert (socket.written, len(wrote)) == ([], 1)


async def test_it_is_clear_while_nothing_waits_here_or_there_and_tells_when_that_changes() -> None:
    socket = PromptSocket()
    async with written(socket) as (outbox, _):
        told: list[bool] = [outbox.clear]
        outbox.told = told.append
        outbox.push(seal([b"a"], DURABLE))
        assert told == [True, False]
        outbox.flush()
        assert told == [True, False, True]
        socket.tell(False)
        assert told == [True, False, True, False]
        outbox.push(seal([b"b"], DURABLE))
        outbox.flush()
        socket.tell(True)  # the writer is at work
        assert told == [True, False, True, False]
        await anyio.wait_all_tasks_blocked()
        assert told == [True, False, True, False, True]
        outbox.seal()
        socket.tell(False)
        socket.tell(True)
        assert told == [True, False, True, False, True, False]
        assert outbox.clear is False


def test_without_such_a_socket_it_is_never_clear() -> None:
    outbox = Bounded().outbox
    outbox.push(seal([b"a"], DURABLE))
    outbox.take()
    outbox.sent()
    assert (outbox.clear, outbox.write) == (False, None)


def refuse_overflow() -> None:
    raise AssertionError("nothing may overflow here")


Sizes = list[tuple[Grade, int]]
BATCHES: st.SearchStrategy[Sizes] = st.lists(
    st.tuples(st.sampled_from(Grade), st.integers(1, 60)), min_size=1, max_size=4
)
TAKE_OR_SENT: st.SearchStrategy[Literal["take", "sent"]] = st.sampled_from(["take", "sent"])
ACTIONS = st.lists(st.one_of(BATCHES, TAKE_OR_SENT), max_size=60)


@given(ACTIONS)
def test_it_never_holds_more_than_the_hard_limit_and_never_drops_what_is_durable(
    actions: list[Sizes | Literal["take", "sent"]],
) -> None:
    """Against a model that keeps every durable frame and knows nothing of shedding."""
    bounded = Bounded()
    outbox, number = bounded.outbox, 0
    in_flight: list[bytes] = []
    expected: list[bytes] = []
    delivered: list[bytes] = []
    for action in actions:
        if action == "take":
            if not in_flight:
                in_flight = list(outbox.take())
                delivered += in_flight
        elif action == "sent":
            outbox.sent()
            in_flight = []
        else:
            frames = []
            for grade, size in action:
                number += 1
                frames.append(f"{grade.value}{number:05}".encode().ljust(6 + size, b"."))
            grades = [grade for grade, _ in action]
            outbox.push(Batch(frames, sum(map(len, frames)), grades))
            expected += [one for one in frames if one.startswith(b"0")]
        assert outbox.waiting <= LIMITS.outbox_hard_bytes
        assert outbox.waiting >= sum(map(len, in_flight))
        if outbox.waiting > LIMITS.outbox_soft_bytes:
            queued = copy(outbox).take()
            assert [one for one in queued if not one.startswith(b"0")] == []
    delivered += outbox.take()
    assert delivered == sorted(delivered, key=lambda one: one[1:6])
    durable = [one for one in delivered if one.startswith(b"0")]
    if bounded.overflows.count:
        assert bounded.overflows.count == 1
        assert durable == expected[: len(durable)]
    else:
        assert durable == expected
        assert len(delivered) + outbox.shed == number
