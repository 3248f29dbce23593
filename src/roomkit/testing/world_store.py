"""What a world remembers with: a store whose calls never wait."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TypeVar

from roomkit.limits import Limits
from roomkit.stores import MemoryStore, Store

__all__ = ["Stores", "memory", "run_now"]

T = TypeVar("T")

Stores = Callable[[Limits, Callable[[], float]], Callable[[], Store]]
"""Makes a store, given limits and monotonic seconds, and returns what gives each node a handle.

Calls of its handles may not wait.
"""


def memory(limits: Limits, seconds: Callable[[], float]) -> Callable[[], Store]:
    """Make a `MemoryStore`."""
    return MemoryStore(limits=limits, clock=seconds).another


def run_now(call: Coroutine[object, None, T]) -> T:
    """Run a coroutine that never waits and return its result.

    Raises:
        RuntimeError: it did wait.
    """
    try:
        call.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    call.close()
    raise RuntimeError("the call waited; only calls that return at once can be run here")
