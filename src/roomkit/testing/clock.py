"""A clock that only moves when it is told to."""

from __future__ import annotations

from roomkit.core.inputs import Now

__all__ = ["ManualClock"]


class ManualClock:
    """Both clocks of a node, in milliseconds, standing still until moved.

    Args:
        wall: what the wall clock says at monotonic 0 (default: 2024-01-01T12:00:00Z).
    """

    def __init__(self, wall: int = 1_704_110_400_000) -> None:
        self.mono = 0
        self._offset = wall

    def now(self) -> Now:
        """Return both clocks."""
        return Now(self.mono, self.mono + self._offset)

    def seconds(self) -> float:
        """Return the monotonic clock in seconds, as `time.monotonic` would."""
        return self.mono / 1000

    def move_to(self, mono: int) -> None:
        """Move forward to a monotonic time; never back."""
        if mono > self.mono:
            self.mono = mono
