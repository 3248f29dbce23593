"""Checkers are told of what they name, and would find nothing more if they were told of all."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from roomkit.core.effects import Effect, Unfollow
from roomkit.core.inputs import Drain, Input, Tick
from roomkit.ids import RoomId
from roomkit.testing.laws.answers import Answers
from roomkit.testing.laws.order import Order
from roomkit.testing.laws.pages import Pages
from roomkit.testing.laws.presence import Presence
from roomkit.testing.laws.typing import Typing
from roomkit.testing.observer import Observer
from roomkit.testing.simulation.kept import Kept
from roomkit.testing.simulation.life import live
from roomkit.testing.simulation.mourning import Mourning
from roomkit.testing.simulation.plan import plan
from roomkit.testing.simulation.runs import STEPS
from roomkit.testing.simulation.spoken import Spoken
from roomkit.testing.simulation.telling import Telling
from roomkit.testing.world import Node, World

CHOOSY = (Answers, Kept, Mourning, Order, Pages, Presence, Spoken, Typing)
SEEDS = range(8)


class Everything(Observer):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, type]] = []

    def stepping(self, node: Node, input: Input) -> None:
        self.told.append(("stepping", type(input)))

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        self.told.append(("stepped", type(input)))


class Ticks(Everything):
    """Does so of ticks, and of steps that let a room go."""

    stepping_kinds = frozenset({Tick})
    stepped_kinds = frozenset({Tick, Unfollow})


def test_a_checker_is_told_of_the_kinds_it_names() -> None:
    node, everything, ticks = World().node(), Everything(), Ticks()
    telling = Telling([everything, ticks])
    letting_go: list[Effect] = [Unfollow(RoomId("lobby"))]
    given: list[tuple[Input, list[Effect]]] = [
        (Tick(), []),
        (Drain("going"), []),
        (Drain("going"), letting_go),
    ]
    for input, effects in given:
        telling.stepping(node, input)
        telling.stepped(node, input, effects)
    assert everything.told == [
        (name, kind) for kind in (Tick, Drain, Drain) for name in ("stepping", "stepped")
    ]
    assert ticks.told == [("stepping", Tick), ("stepped", Tick), ("stepped", Drain)]


def test_no_checker_misses_what_it_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [live(*plan(seed, STEPS)) for seed in SEEDS]
    for checker in CHOOSY:
        for name in ("stepping_kinds", "sent_kinds", "stepped_kinds"):
            monkeypatch.setattr(checker, name, None)
    assert [live(*plan(seed, STEPS)) for seed in SEEDS] == chosen
