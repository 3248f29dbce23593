"""Where the hub reads the time: the loop's monotonic clock and the machine's wall clock.

The monotonic half is the event loop's own, so that the engine's deadlines and the loop's timers
agree, and a test on trio can move it by hand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import anyio

from roomkit.core.inputs import Now

__all__ = ["Clock", "read_wall"]


class Clock:
    """The clocks of the event loop it is made in; only there may it be read.

    Which loop that is is found out once: anyio looks it up at every reading, which costs more than
    the reading.
    """

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds = _loop_clock()

    def read(self) -> Now:
        """Return both clocks, in whole milliseconds, rounded down."""
        return Now(self.mono(), read_wall())

    def mono(self) -> int:
        """Return the monotonic clock alone."""
        return int(self._seconds() * 1000)


def read_wall() -> int:
    """Return milliseconds since the Unix epoch, rounded down."""
    return time.time_ns() // 1_000_000


def _loop_clock() -> Callable[[], float]:
    """Return what reads the running loop's clock, in seconds."""
    try:
        in_asyncio = asyncio.current_task() is not None  # None if trio is a guest of this loop
    except RuntimeError:
        in_asyncio = False
    return asyncio.get_running_loop().time if in_asyncio else anyio.current_time
