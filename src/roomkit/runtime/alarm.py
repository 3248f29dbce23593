"""The one timer of a hub: wakes when the engine's nearest deadline is due."""

from __future__ import annotations

from collections.abc import Callable

import anyio

__all__ = ["Alarm"]


class Alarm:
    """Sleeps until a deadline, and is disturbed only by a nearer one.

    Args:
        deadline: tells the nearest deadline (monotonic milliseconds), or None.
        ring: called when it has come. It may come early or be moved meanwhile; that is for `ring`
            to see.
    """

    def __init__(self, deadline: Callable[[], int | None], ring: Callable[[], None]) -> None:
        self._deadline = deadline
        self._ring = ring
        self._set_for: int | None = None
        self._nearer = anyio.Event()

    def look(self, deadline: int | None) -> None:
        """Notice that the nearest deadline may be another now."""
        if deadline is not None and (self._set_for is None or deadline < self._set_for):
            self._set_for = deadline
            self._nearer.set()

    async def run(self) -> None:
        """Ring whenever the deadline has come, until cancelled."""
        while True:
            self._nearer = anyio.Event()
            self._set_for = self._deadline()
            until = float("inf") if self._set_for is None else self._set_for / 1000
            with anyio.CancelScope(deadline=until):
                await self._nearer.wait()
            self._ring()
