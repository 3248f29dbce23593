"""Each breakage of the engine or the store is found, in the fewest moves there are."""

from __future__ import annotations

import pytest

from roomkit.core import following, log
from roomkit.core.state import Served
from roomkit.core.storage import Tip
from roomkit.core.turn import Turn
from roomkit.ids import Position
from roomkit.testing.small_worlds import PLOTS, Bounds, WorldBroken, search, told
from tests.property import breakages
from tests.property.breakages import Break


def read_nothing_on(patch: pytest.MonkeyPatch) -> None:
    """A gap is not repaired."""

    def nothing(turn: Turn, served: Served) -> None:
        pass

    for module in (log, following):
        patch.setattr(module, "read_on", nothing)


def look_at_no_tips(patch: pytest.MonkeyPatch) -> None:
    """What no hint has brought is not looked for."""

    def never(turn: Turn, served: Served, asked: Position, tip: Tip) -> None:
        pass

    patch.setattr(following, "_compare", never)


BROKEN: list[tuple[int, Break, str, int, Bounds]] = [
    (3, breakages.lose_keys, "sends", 6, Bounds()),
    (4, breakages.acknowledge_at_once, "sends", 6, Bounds()),
    (6, look_at_no_tips, "sends", 1, Bounds()),
    (9, breakages.mourn_nobody, "doors", 2, Bounds()),
    (12, read_nothing_on, "sends", 6, Bounds(crashes=0)),
    (16, breakages.climb_the_fence, "kick", 6, Bounds(crashes=0, losses=0)),
    (16, breakages.let_anybody_speak, "kick", 6, Bounds(crashes=0, losses=0)),
    (16, breakages.raise_the_dead, "revisions", 6, Bounds(crashes=0, losses=0, ahead=3)),
]
"""The law, what breaks it, and the world that shows it: a plot, its commands, and the bounds."""


@pytest.mark.parametrize(
    ("law", "break_it", "plot", "commands", "bounds"),
    BROKEN,
    ids=[f"law_{law}-{one.__name__}" for law, one, *_ in BROKEN],
)
def test_a_broken_law_is_found(
    law: int,
    break_it: Break,
    plot: str,
    commands: int,
    bounds: Bounds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_it(monkeypatch)
    with pytest.raises(WorldBroken) as broken:
        search(PLOTS[plot].shortened(commands), bounds)
    assert broken.value.law == law


def test_the_shortest_way_to_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    breakages.climb_the_fence(monkeypatch)
    with pytest.raises(WorldBroken) as broken:
        search(PLOTS["kick"], Bounds(crashes=0, losses=0))
    *lines, failure = told(broken.value).splitlines()
    assert failure.startswith("then law 16: ")
    assert lines == [
        "alice is at node 1, bob at node 2.",
        "  1. alice sends to node 1: Say(text='a0')",
        "  2. bob sends to node 2: Say(text='b0')",
        "  3. the store does for node 1: append 2: posted 'a0'",
        "  4. node 1 hears: append 2 is stored, seq 4",
        "  5. alice sends to node 1: Kick()",
        "  6. the store does for node 1: append 3: kick bob",
        "  7. the store does for node 2: append 2: posted 'b0'",
    ]
