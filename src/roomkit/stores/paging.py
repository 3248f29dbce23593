"""Cutting a page of archived messages to the bytes it may have."""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core.storage import After, Around, MessageRow, PageQuery

__all__ = ["fitting", "wanted"]


def wanted(query: PageQuery, limit: int) -> tuple[int, int]:
    """Return how many rows a query asks for on each side of its seq: below, and from it on."""
    limit = max(0, limit)
    if isinstance(query, Around):
        return limit // 2, limit - limit // 2
    return (0, limit) if isinstance(query, After) else (limit, 0)


def fitting(
    rows: Sequence[MessageRow], start: int, sides: tuple[int, int], size: int
) -> tuple[int, int]:
    """Grow a range of rows from `start`, both ways by turns, while its bodies fit in a page.

    What does not fit is cut where it is farthest from `start`. One row always fits.

    Args:
        rows: oldest first.
        start: index of the row at the seq asked about, or of the first one above it.
        sides: as `wanted` returns it.
        size: bytes of a page.

    Returns:
        The range, as indexes of its first row and of the one after its last.
    """
    floor, ceiling = max(0, start - sides[0]), min(len(rows), start + sides[1])
    low = high = start
    while low > floor or high < ceiling:
        upwards = high < ceiling and (low == floor or high - start <= start - low)
        body = len(rows[high if upwards else low - 1].body)
        if body > size and low < high:
            break
        size -= body
        if upwards:
            high += 1
        else:
            low -= 1
    return low, high
