"""The sooner of moments that may never come."""

from __future__ import annotations

__all__ = ["soonest"]


def soonest(*times: int | None) -> int | None:
    """Return the earliest of these; None stands for never."""
    earliest: int | None = None
    for at in times:
        if at is not None and (earliest is None or at < earliest):
            earliest = at
    return earliest
