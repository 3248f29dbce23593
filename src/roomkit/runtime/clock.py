"""Where the hub reads the time: the loop's monotonic clock and the machine's wall clock.

The monotonic half is the event loop's own, so that the engine's deadlines and the loop's timers
agree, and a test on trio can move it by hand.
"""

from __future__ import annotations

import time

import anyio

from roomkit.core.inputs import Now

__all__ = ["read_clock"]


def read_clock() -> Now:
    """Return both clocks, in whole milliseconds, rounded down."""
    return Now(int(anyio.current_time() * 1000), time.time_ns() // 1_000_000)
