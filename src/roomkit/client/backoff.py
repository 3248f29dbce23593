"""When to try again: full jitter, so that a thousand clients cut off at once come back spread out.

The numbers are the protocol page's (Numbers); the method is AWS's "Exponential Backoff and Jitter".
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["BASE_MS", "CAP_MS", "Backoff"]

BASE_MS = 500
CAP_MS = 20_000
_DOUBLINGS = 6  # more of them are above the cap


class Backoff:
    """Counts failures.

    Args:
        random: gives numbers from 0 up to, not including, 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0

    def next(self) -> int:
        """Count a failure and return how long to wait, in whole ms."""
        ceiling = min(CAP_MS, BASE_MS << min(self._failures, _DOUBLINGS))
        self._failures += 1
        return int(self._random() * ceiling)

    def reset(self) -> None:
        """Something worked."""
        self._failures = 0
