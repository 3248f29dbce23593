"""A failure is made as small as it goes."""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.testing.simulation.shrinking import smallest


def test_what_is_not_needed_is_left_out() -> None:
    assert smallest(range(300), lambda some: {17, 170, 171} <= set(some), 1_000) == [17, 170, 171]


def test_one_is_found_among_many() -> None:
    assert smallest(range(300), lambda some: 299 in some, 1_000) == [299]


def test_what_is_all_needed_stays() -> None:
    assert smallest(range(7), lambda some: len(some) == 7, 1_000) == list(range(7))


def test_it_gives_up_after_so_many_runs() -> None:
    asked: list[Sequence[int]] = []

    def fails(some: Sequence[int]) -> bool:
        asked.append(some)
        return {1, 250} <= set(some)

    found = smallest(range(300), fails, 5)
    assert len(asked) == 5
    assert {1, 250} <= set(found)
    assert len(found) < 300
