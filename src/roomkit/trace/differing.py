"""Where two packed values first differ, in words a person can follow."""

from __future__ import annotations

import msgspec

__all__ = ["first_difference"]


def first_difference(recorded: object, now: object) -> str | None:
    """Return the path to the first difference and both sides of it, or None if there is none."""
    return _differ(msgspec.to_builtins(recorded), msgspec.to_builtins(now), "")


def _differ(recorded: object, now: object, path: str) -> str | None:
    if isinstance(recorded, list | tuple) and isinstance(now, list | tuple):
        for index, (one, other) in enumerate(zip(recorded, now, strict=False)):
            found = _differ(one, other, f"{path}[{index}]")
            if found is not None:
                return found
        if len(recorded) != len(now):
            return f"{path or 'it'} has {len(recorded)} items; now {len(now)}"
        return None
    if isinstance(recorded, dict) and isinstance(now, dict):
        if list(recorded) != list(now):
            return f"{path or 'it'} has {list(recorded)}; now {list(now)}"
        for key in recorded:
            found = _differ(recorded[key], now[key], f"{path}.{key}")
            if found is not None:
                return found
        return None
    return None if recorded == now else f"{path} is {recorded!r}; now {now!r}"
