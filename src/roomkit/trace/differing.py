"""Where two states of an engine first differ, in words a person can follow."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator
from typing import cast

import msgspec

from roomkit.core.timers import Timers

__all__ = ["first_difference"]


def first_difference(recorded: object, now: object) -> str | None:
    """Return the path to the first difference and both sides of it, or None if there is none."""
    return _differ(recorded, now, "")


def _differ(recorded: object, now: object, path: str) -> str | None:
    if recorded is now:
        return None
    parts, others = _parts(recorded), _parts(now)
    if parts is None or others is None:
        return None if recorded == now else f"{path} is {recorded!r}; now {now!r}"
    for (name, one), (other_name, other) in zip(parts, others, strict=False):
        if name != other_name:
            return f"{path}{name} stands where {other_name} does now"
        found = _differ(one, other, f"{path}{name}")
        if found is not None:
            return found
    if len(parts) != len(others):
        return f"{path} has {len(parts)} items; now {len(others)}"
    return None


def _parts(value: object) -> list[tuple[str, object]] | None:
    """Return what a value consists of, each part under its name; None if it is one piece."""
    return None if (parts := _named(value)) is None else list(parts)


def _named(value: object) -> Iterator[tuple[str, object]] | None:
    if isinstance(value, msgspec.Struct):
        return ((f".{name}", getattr(value, name)) for name in value.__struct_fields__)
    if dataclasses.is_dataclass(value):
        return ((f".{one.name}", getattr(value, one.name)) for one in dataclasses.fields(value))
    if isinstance(value, dict):
        held = cast("dict[object, object]", value)
        return ((f"[{key!r}]", one) for key, one in held.items())
    if isinstance(value, list | tuple | deque):
        items = cast("Iterable[object]", value)
        return ((f"[{index}]", one) for index, one in enumerate(items))
    if isinstance(value, Timers):
        return ((f"[{timer} {key}]", at) for timer, key, at in value)
    return None
