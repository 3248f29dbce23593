"""Numbers for values: each distinct part of a world is kept once, and a world is a few numbers.

Two values have one number if they are written down the same, byte for byte. They are written
without regard to which objects are shared (`Pickler.fast`), so that equal parts that came about in
different ways are one. Parts that are equal and written in another order (of a dict, say) get two
numbers: the search then does some work twice and misses nothing.
"""

from __future__ import annotations

import io
import pickle
from typing import Generic, TypeVar

__all__ = ["Copies", "Shelf"]

T = TypeVar("T")


class Shelf(Generic[T]):
    """Values that nobody changes, numbered from 0 in the order in which they came."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._values: list[T] = []

    def __len__(self) -> int:
        return len(self._values)

    def put(self, value: T) -> int:
        """Return the value's number, a new one if it was never here."""
        number = self._numbers.setdefault(_written(value), len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number

    def get(self, number: int) -> T:
        return self._values[number]


class Copies(Generic[T]):
    """Values that are changed: what is put is written down, what is taken is a copy."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._written: list[bytes] = []

    def __len__(self) -> int:
        return len(self._written)

    def put(self, value: T) -> int:
        """Return the value's number, a new one if it was never here."""
        number = self._numbers.setdefault(_written(value), len(self._written))
        if number == len(self._written):
            self._written.append(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        return number

    def copy(self, number: int) -> T:
        """Return a copy of one's own."""
        value: T = pickle.loads(self._written[number])
        return value


def _written(value: object) -> bytes:
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()
