"""Finding the states of a thing, and what leads from one to another, by trying everything on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeVar

__all__ = ["Life", "Moves", "explore"]

Life = dict[tuple[str, str], list[str]]
"""By (state, following state): what leads from one to the other, in the order found."""

Moves = dict[str, Callable[[], str | None]]
"""What may happen now, by name; each, when called, does so and returns its label, None for the name
itself."""


class Subject(Protocol):
    """What is led about: an engine, and what is to be seen of it."""

    def moves(self) -> Moves:
        """Return what may happen now."""
        ...

    def state(self) -> str:
        """Name what is to be seen."""
        ...

    def memory(self) -> object:
        """Return what else may decide what a move leads to."""
        ...


_S = TypeVar("_S", bound=Subject)


def explore(begin: Callable[[], _S], most_moves: int) -> Life:
    """Try every move from every situation that differs, by walking there anew."""
    found: Life = {}
    seen: set[object] = set()
    waiting: deque[tuple[str, ...]] = deque([()])
    while waiting:
        path = waiting.popleft()
        subject = begin()
        for step in path:
            subject.moves()[step]()
        key = (subject.state(), subject.memory())
        if key in seen or len(path) > most_moves:
            continue
        seen.add(key)
        for name in subject.moves():
            tried = begin()
            for step in path:
                tried.moves()[step]()
            label = tried.moves()[name]() or name
            edge = (key[0], tried.state())
            if edge[0] != edge[1] and label not in found.setdefault(edge, []):
                found[edge].append(label)
            waiting.append((*path, name))
    return {edge: labels for edge, labels in found.items() if labels}
