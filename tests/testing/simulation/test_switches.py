"""Each law, broken on purpose, is found broken by the lives that find nothing otherwise."""

from __future__ import annotations

from itertools import count, islice

import pytest

from roomkit.testing.laws import LawBroken
from roomkit.testing.simulation.life import live
from roomkit.testing.simulation.plan import plan
from roomkit.testing.simulation.runs import STEPS
from tests.property import breakages
from tests.property.breakages import Break
from tests.property.test_switches import FOUND_BY_LIVING

MOST_LIVES = 200

FEW = 3

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


NEEDS: dict[Break, str] = {
    breakages.shed_what_must_stay: "stall",
    breakages.hoard: "stall",
    breakages.mourn_nobody: "kill",
}
"""A fault without which a breakage is seldom noticed. After a failover another law may be."""

BEYOND: list[tuple[int, str, str, Break]] = [
    (4, "too long after", "", breakages.look_seldom),
    (5, "was stored after", "", breakages.skip_a_seq),
    (5, "was trimmed up to", "", breakages.trim_too_much),
    (5, "over a newer format", "versions", breakages.save_over_what_is_newer),
    (9, "too long after their death", "kill", breakages.mourn_late),
    (9, "is lost a second time", "kill", breakages.mourn_twice),
    (15, "does not join on", "failover", breakages.fold_what_does_not_join_on),
    (15, "without a gap", "failover", breakages.tell_no_gap),
    (16, "nobody said", "", breakages.put_words_into_the_log),
]
"""What the simulator holds beyond the laws: its number there, its words, a fault it needs."""


def live_all(fault: str = "", without: str = "") -> None:
    """Live so many lives, without making a failure small.

    Args:
        fault: each has it, and few others.
        without: none has it.
    """
    plans = (plan(seed, STEPS) for seed in count())
    chosen = (
        (setup, steps)
        for setup, steps in plans
        if without not in setup.faults
        and (not fault or (fault in setup.faults and len(setup.faults) <= FEW))
    )
    for setup, steps in islice(chosen, MOST_LIVES):
        live(setup, steps)


@pytest.mark.parametrize(
    ("law", "break_it"), BROKEN, ids=[f"law_{law}-{one.__name__}" for law, one in BROKEN]
)
def test_some_life_finds_a_broken_law(
    law: int, break_it: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)
    with pytest.raises(LawBroken) as broken:
        live_all(NEEDS.get(break_it, ""), without="failover")
    assert broken.value.law == law


@pytest.mark.parametrize(
    ("law", "words", "fault", "break_it"),
    BEYOND,
    ids=[one.__name__ for *_, one in BEYOND],
)
def test_some_life_finds_what_is_held_beyond_the_laws(
    law: int, words: str, fault: str, break_it: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)
    with pytest.raises(LawBroken, match=words) as broken:
        live_all(fault)
    assert broken.value.law == law


def test_every_law_has_a_switch() -> None:
    assert {law for law, _ in BROKEN} == set(range(17))
