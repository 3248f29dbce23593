"""Law 9, the other way: nobody is declared lost whose lease lives.

So a restarted server leaves its predecessor's lease alone, and nobody is shown leaving.
"""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core.effects import Effect, FindLapsed, Renew
from roomkit.core.inputs import Input, LapsedFound, LeaseRenewed
from roomkit.testing.clock import ManualClock
from roomkit.testing.laws import LawBroken
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Mourning"]


class Mourning(Observer):
    """Knows since when and until when each node's lease lives at least.

    Both calls count from when they were made. A node asks who lapsed once it has its last answer;
    renewals may overtake each other, so an answer is taken for that of the one that gives least.
    """

    stepping_kinds = frozenset({LeaseRenewed, LapsedFound})
    stepped_kinds = frozenset({Renew, FindLapsed})

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._asked: dict[str, list[int]] = {}
        self._finding: dict[str, int] = {}
        self._lives: dict[str, tuple[int, int]] = {}

    def stepping(self, node: Node, input: Input) -> None:
        now = self._clock.mono
        if type(input) is LeaseRenewed:
            asked = self._asked[input.node]
            until = min(asked)
            asked.remove(max(asked))
            if input.renewed:
                since, before = self._lives.get(input.node, (now, 0))
                self._lives[input.node] = (since if before > now else now, until)
        elif type(input) is LapsedFound:
            found = self._finding.pop(node.name)
            for lost in input.lapsed:
                since, until = self._lives.get(lost, (now, 0))
                if since <= found and until > now:
                    raise LawBroken(9, f"{lost} is taken for lost, and its lease lives to {until}")

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if type(effect) is Renew:
                self._renew(effect)
            elif type(effect) is FindLapsed:
                self._finding[node.name] = self._clock.mono

    def _renew(self, renew: Renew) -> None:
        """A drain asks for less than there is, and is gone before it is answered."""
        until = self._clock.mono + renew.ttl_ms
        self._asked.setdefault(renew.node, []).append(until)
        since, lives = self._lives.get(renew.node, (0, 0))
        self._lives[renew.node] = (since, min(lives, until))
