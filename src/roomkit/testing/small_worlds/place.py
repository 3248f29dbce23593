"""One state of a small world, what can happen next in it, and how much may go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

__all__ = ["FAULTS", "Bounds", "Happening", "Move", "Place"]


@dataclass(frozen=True)
class Bounds:
    """How much goes wrong at most.

    Attributes:
        crashes: of nodes, 0 or 1.
        losses: of hints.
        periods: how often time passes before the calm, once something has gone wrong.
        ahead: how many commands a person sends without waiting for an answer.
    """

    crashes: int = 1
    losses: int = 1
    periods: int = 0
    ahead: int = 1


class Happening(StrEnum):
    """The kinds of things that happen, one at a time."""

    SAY = "say"
    """a person sends their next command"""
    RETURN = "return"
    """a person who lost the connection comes back, to the other node if their own died"""
    PERFORM = "perform"
    """the store performs a call"""
    VANISH = "vanish"
    """an append on its way when its node died never reaches the store"""
    ANSWER = "answer"
    """a node is stepped with the store's answer"""
    HINT = "hint"
    """a hint of the feed reaches a node"""
    TICK = "tick"
    """a node whose timer is due is stepped"""
    LOSE = "lose"
    """a hint is lost"""
    CRASH = "crash"
    """a node dies, with everything it knows and everything on its way to it"""
    TIME = "time"
    """as much time passes as any period takes"""


FAULTS = frozenset({Happening.LOSE, Happening.CRASH, Happening.TIME})
"""What may never happen: a state in which nothing else can is an end."""


class Move(NamedTuple):
    """Something that happens: to whom, or to what (see `Worlds`)."""

    kind: Happening
    to: int


class Place(NamedTuple):
    """A whole world between two moves, each part by its number on a shelf.

    Attributes:
        nodes: None for one that died.
        room: what the store has.
        people: everybody.
        calls: the store calls not performed, in no order.
        answers: those performed and not answered, and `hints` those on their way: each with its
            node, in no order.
        crashed: when a node died, in periods; None while none has.
        lost: how many hints were.
        time: how many periods have passed.
    """

    nodes: tuple[int | None, int | None]
    room: int
    people: tuple[int, int]
    calls: tuple[int, ...] = ()
    answers: tuple[int, ...] = ()
    hints: tuple[int, ...] = ()
    crashed: int | None = None
    lost: int = 0
    time: int = 0

    @property
    def broken(self) -> bool:
        """Whether anything has gone wrong yet."""
        return self.crashed is not None or self.lost > 0

    def home(self, person: int) -> int:
        """Return the node somebody connects to: their own while it lives."""
        return person if self.nodes[person] is not None else 1 - person

    def with_person(self, person: int, number: int) -> Place:
        """Return the world with somebody as they are now."""
        people = (number, self.people[1]) if person == 0 else (self.people[0], number)
        return self._replace(people=people)
