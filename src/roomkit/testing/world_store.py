"""What a world remembers with: a store whose calls never wait."""

from __future__ import annotations

from collections.abc import Callable

from roomkit.limits import Limits
from roomkit.stores import MemoryStore, Store

__all__ = ["Stores", "memory"]

Stores = Callable[[Limits, Callable[[], float]], Callable[[], Store]]
"""Makes a store, given limits and monotonic seconds, and returns what gives each node a handle.

Calls of its handles may not wait.
"""


def memory(limits: Limits, seconds: Callable[[], float]) -> Callable[[], Store]:
    """Make a `MemoryStore`."""
    return MemoryStore(limits=limits, clock=seconds).another
