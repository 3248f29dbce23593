"""The alarm sleeps until the nearest deadline, and only a nearer one disturbs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from roomkit.runtime.alarm import Alarm
from tests.runtime.scripted import eventually

HOUR_MS = 3_600_000


class Clock:
    """A deadline to wake for, and how often the alarm rang."""

    def __init__(self) -> None:
        self.deadline: int | None = None
        self.asked = 0
        self.rung: list[float] = []
        self.alarm = Alarm(self.next_deadline, self.ring)

    def next_deadline(self) -> int | None:
        self.asked += 1
        return self.deadline

    def ring(self) -> None:
        now = anyio.current_time() * 1000
        self.rung.append(now)
        if self.deadline is not None and self.deadline <= now:
            self.deadline = None

    def move(self, deadline: int | None) -> None:
        self.deadline = deadline
        self.alarm.look(deadline)


def in_ms(milliseconds: int) -> int:
    return int(anyio.current_time() * 1000) + milliseconds


@asynccontextmanager
async def running(first: int | None = None) -> AsyncGenerator[Clock]:
    clock = Clock()
    clock.deadline = first
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.alarm.run)
        await anyio.wait_all_tasks_blocked()
        yield clock
        tasks.cancel_scope.cancel()


async def test_it_rings_when_the_deadline_has_come() -> None:
    async with running() as clock:
        clock.move(deadline := in_ms(20))
        await eventually(lambda: clock.deadline is None, "the alarm")
        assert clock.rung[-1] >= deadline


async def test_it_rings_at_once_for_a_deadline_that_has_passed() -> None:
    async with running() as clock:
        clock.move(in_ms(-1000))
        await eventually(lambda: clock.deadline is None, "the alarm")


async def test_a_nearer_deadline_is_noticed() -> None:
    async with running(in_ms(HOUR_MS)) as clock:
        clock.move(in_ms(10))
        await eventually(lambda: clock.deadline is None, "the alarm")


async def test_a_later_deadline_disturbs_nobody() -> None:
    async with running(in_ms(HOUR_MS)) as clock:
        before = (clock.asked, clock.rung)
        clock.move(in_ms(2 * HOUR_MS))
        clock.move(None)
        await anyio.wait_all_tasks_blocked()
        assert (clock.asked, clock.rung) == before == (1, [])
