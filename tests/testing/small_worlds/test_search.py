"""Small worlds are walked through whole, and every law holds in every state of them."""

from __future__ import annotations

import pytest

from roomkit.testing.small_worlds import PLOTS, Bounds, search
from roomkit.testing.small_worlds.__main__ import main

WORLDS: list[tuple[str, int, Bounds]] = [
    *((plot, 2, Bounds()) for plot in PLOTS),
    *((plot, 3, Bounds(crashes=0, ahead=3)) for plot in PLOTS),
    ("revisions", 6, Bounds(crashes=0, losses=0)),
    ("sends", 0, Bounds(periods=1)),
]
"""Plots, how many of their commands, and what goes wrong: as much as the suite has time for."""


@pytest.mark.parametrize(
    ("plot", "commands", "bounds"),
    WORLDS,
    ids=[f"{plot}-{commands}-{index}" for index, (plot, commands, _) in enumerate(WORLDS)],
)
def test_every_law_holds_in_every_state(plot: str, commands: int, bounds: Bounds) -> None:
    count = search(PLOTS[plot].shortened(commands), bounds)
    assert count.complete
    assert count.transitions >= count.states > count.ends > 0
    assert count.depth >= 3 * commands  # each is sent, stored and answered


def test_a_crash_and_a_loss_make_more_worlds_of_one() -> None:
    plot = PLOTS["sends"].shortened(1)
    states = [
        search(plot, bounds).states
        for bounds in (Bounds(0, 0), Bounds(0, 1), Bounds(1, 0), Bounds(1, 1))
    ]
    assert states == sorted(set(states))


def test_a_search_that_gives_up_is_not_complete(capsys: pytest.CaptureFixture[str]) -> None:
    assert not search(PLOTS["sends"], Bounds(), most=100).complete
    assert main(["sends", "--most", "100"]) == 1
    assert "FAILED: --most 100 left out what lies beyond" in capsys.readouterr().out


def test_the_number_of_states_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sends", "--commands", "1"]) == 0
    heading, row = capsys.readouterr().out.splitlines()[2:4]
    count = search(PLOTS["sends"].shortened(1), Bounds())
    assert heading.split()[:4] == ["plot", "states", "transitions", "ends"]
    assert row.split()[:4] == [
        "sends",
        *(str(n) for n in (count.states, count.transitions, count.ends)),
    ]
