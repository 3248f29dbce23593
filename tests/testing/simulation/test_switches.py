"""Each law, broken on purpose, is found broken by the lives that find nothing otherwise."""

from __future__ import annotations

import pytest

from roomkit.testing.laws import LawBroken
from roomkit.testing.simulation.life import live
from roomkit.testing.simulation.plan import plan
from roomkit.testing.simulation.runs import STEPS
from tests.property import breakages
from tests.property.breakages import Break
from tests.property.test_switches import FOUND_BY_LIVING

MOST_SEEDS = 150

BROKEN: list[tuple[int, Break]] = [
    *FOUND_BY_LIVING,
    (1, breakages.replay_what_there_is),
    (1, breakages.shed_what_must_stay),
    (8, breakages.forget_who_is_who),
    (9, breakages.mourn_at_once),
    (11, breakages.hoard),
    (16, breakages.climb_the_fence),
    (16, breakages.raise_the_dead),
]


def live_all(seeds: int) -> None:
    """Live so many lives, without making a failure small."""
    for seed in range(seeds):
        live(*plan(seed, STEPS))


@pytest.mark.parametrize(
    ("law", "break_it"), BROKEN, ids=[f"law_{law}-{one.__name__}" for law, one in BROKEN]
)
def test_some_life_finds_a_broken_law(
    law: int, break_it: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)
    with pytest.raises(LawBroken) as broken:
        live_all(MOST_SEEDS)
    assert broken.value.law == law


def test_every_law_has_a_switch() -> None:
    assert {law for law, _ in BROKEN} == set(range(17))
