"""The sooner of moments that may never come."""

from __future__ import annotations

__all__ = ["soonest"]


def soonest(one: int | None, other: int | None, third: int | None) -> int | None:
    """Return the earliest of these; None stands for never."""
    if one is None or (other is not None and other < one):
        one = other
    if one is None or (third is not None and third < one):
        one = third
    return one
