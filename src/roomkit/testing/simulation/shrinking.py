"""Making a failure small: the fewest steps of a life that still break the same law.

Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002):
larger and larger numbers of smaller and smaller parts are left out, for as long as that helps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["smallest"]


def smallest(
    indexes: Sequence[int], fails: Callable[[Sequence[int]], bool], runs: int
) -> list[int]:
    """Return as few of the indexes as can be found that still fail, in order.

    Args:
        fails: says whether some of them fail; all of them do.
        runs: ask it at most so often.
    """
    kept, parts = list(indexes), 2
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            if not runs:
                return kept
            runs -= 1
            if rest and fails(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                return kept
            parts = min(parts * 2, len(kept))
    return kept
