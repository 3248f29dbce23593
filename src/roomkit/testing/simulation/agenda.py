"""What happens when: calls at times of a clock that moves only from one call to the next."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from roomkit.testing.clock import ManualClock
from roomkit.testing.laws import LawBroken

__all__ = ["Agenda"]

_MOST_CALLS = 50_000


class Agenda:
    """Calls in order of their times; those of one moment in the order in which they were made.

    Attributes:
        clock: moves as the calls are made.
        journal: what happened, a line for each; None if nobody wants to read it.
    """

    def __init__(self, journal: list[str] | None = None) -> None:
        self.journal = journal
        self.clock = ManualClock()
        self._calls: list[tuple[int, int, Callable[[], None]]] = []
        self._count = count()

    @property
    def now(self) -> int:
        """Monotonic milliseconds."""
        return self.clock.mono

    def note(self, line: str) -> None:
        """Write a line into the journal, if there is one."""
        if self.journal is not None:
            self.journal.append(f"{self.clock.mono:7d} ms  {line}")

    def at(self, when: int, call: Callable[[], None]) -> None:
        """Make a call at a time, or as soon as possible if that is over."""
        heappush(self._calls, (when, next(self._count), call))

    def soon(self, call: Callable[[], None]) -> None:
        """Make a call at the end of this moment."""
        heappush(self._calls, (self.clock.mono, next(self._count), call))

    def run_until(self, until: int) -> None:
        """Make every call due by then, those included which they lead to.

        Raises:
            LawBroken: it goes on and on (law 0).
        """
        calls, clock = self._calls, self.clock
        for _ in range(_MOST_CALLS):
            if not calls or calls[0][0] > until:
                clock.move_to(until)
                return
            when, _, call = heappop(calls)
            if when > clock.mono:
                clock.mono = when
            call()
        raise LawBroken(0, f"{_MOST_CALLS} things happened by {until} ms: something does not rest")
