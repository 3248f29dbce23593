"""The search: breadth-first over all states of a plot's worlds, each looked at once.

Two ways to one state are one from there on, since a state is everything that can matter later: the
nodes, what is on its way, the store, and what everybody was told. So every interleaving is covered,
and the first failure found has the fewest moves there can be.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from roomkit.testing.laws import LawBroken
from roomkit.testing.small_worlds.place import FAULTS, Bounds, Move, Place
from roomkit.testing.small_worlds.plots import Plot
from roomkit.testing.small_worlds.worlds import Worlds

__all__ = ["Count", "WorldBroken", "search"]


Came: TypeAlias = dict[Place, tuple[Place, Move] | None]
"""How each state was first reached."""


@dataclass(frozen=True)
class Count:
    """What a search has seen.

    Attributes:
        states: different states of the whole world.
        transitions: moves looked at, from every state every one.
        ends: states in which nothing is left to do; each was then left alone until it had to
            agree.
        depth: moves from the beginning to the farthest state.
        steps: different steps of an engine, which all transitions are made of.
        complete: nothing was left out.
        seconds: of processor time.
    """

    states: int
    transitions: int
    ends: int
    depth: int
    steps: int
    complete: bool
    seconds: float


class WorldBroken(AssertionError):
    """A law was broken in some world.

    Attributes:
        law: its number; None if something failed otherwise.
        moves: from the beginning to the failure; the last one breaks the law, or, if `resting`, it
            leads to a world that never comes to agree.
        worlds: in which they happened.
    """

    def __init__(self, worlds: Worlds, moves: list[Move], error: Exception, resting: bool) -> None:
        super().__init__(str(error))
        self.worlds = worlds
        self.moves = moves
        self.law = error.law if isinstance(error, LawBroken) else None
        self.resting = resting


def search(plot: Plot, bounds: Bounds, most: int | None = None) -> Count:
    """Look at every state. Python's garbage collector stands still meanwhile: nothing is garbage.

    Args:
        plot: what people do.
        bounds: what goes wrong.
        most: give up after about so many states; None: never.

    Raises:
        WorldBroken: a law does not hold in one.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return _search(Worlds(plot, bounds), most)
    finally:
        if collects:
            gc.enable()


def _search(worlds: Worlds, most: int | None) -> Count:
    began = time.process_time()
    beginning = worlds.beginning
    came: Came = {beginning: None}
    frontier, depth = [beginning], 0
    transitions = ends = 0
    complete = True
    while frontier and complete:
        following: list[Place] = []
        for place in frontier:
            moves = worlds.moves(place)
            if all(move.kind in FAULTS for move in moves):
                ends += 1
                try:
                    worlds.check_end(place)
                except Exception as error:
                    raise WorldBroken(worlds, _way(came, place), error, True) from error
            transitions += len(moves)
            for move in moves:
                try:
                    reached = worlds.after(place, move)
                except Exception as error:
                    raise WorldBroken(worlds, [*_way(came, place), move], error, False) from error
                if reached not in came:
                    came[reached] = (place, move)
                    following.append(reached)
        if most is not None and len(came) > most:
            complete = not following
        frontier = following
        depth += bool(frontier)
    took = time.process_time() - began
    return Count(len(came), transitions, ends, depth, worlds.stage.steps, complete, took)


def _way(came: Came, place: Place) -> list[Move]:
    """Return the moves that first led to a place."""
    moves: deque[Move] = deque()
    while (before := came[place]) is not None:
        place, move = before
        moves.appendleft(move)
    return list(moves)
