"""The model of a deployment, and that everything it is made of can be measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from benchmarks.scale.costs import measure
from benchmarks.scale.deployment import check
from benchmarks.scale.model import Costs, Shape, demand
from benchmarks.scale.page import write
from roomkit import Limits

COSTS = Costs(
    append=100, copy=10, signal=20, tip=2, load=80, save=2_000, lease=60, lapsed=4, look=300,
    room_bytes=5_000, entry_bytes=400, message_bytes=200, subscription_bytes=200, hint_bytes=250,
)  # fmt: skip
TOWN = Shape(10_000, 1_000, 4, rooms_per_user=2)


def test_a_room_of_many_is_at_every_node_and_of_one_at_one() -> None:
    assert replace(TOWN, rooms=1).nodes_per_room == pytest.approx(4)
    assert replace(TOWN, users=500).nodes_per_room == pytest.approx(1)


def test_ten_times_the_people_and_rooms_ask_for_ten_times_as_much() -> None:
    one = demand(TOWN, COSTS, Limits())
    ten = demand(replace(TOWN, users=100_000, rooms=10_000), COSTS, Limits())
    for name in ("append", "copy", "signal", "tip", "load", "save"):
        assert ten.per_s[name] == pytest.approx(10 * one.per_s[name])
    assert ten.per_s["lease"] == one.per_s["lease"]
    assert sum(ten.memory_mib.values()) == pytest.approx(10 * sum(one.memory_mib.values()))


def test_what_is_asked_for_is_what_happens_times_what_it_takes() -> None:
    asked = demand(TOWN, COSTS, Limits())
    messages, visits = 10_000 * 12 / 3_600, 10_000 * 2 * 2 / 3_600
    assert asked.per_s["append"] == pytest.approx(messages + 2 * visits)
    assert asked.processor["append"] == pytest.approx(asked.per_s["append"] * 100e-6)
    assert asked.processors == pytest.approx(sum(asked.processor.values()))


def test_a_roster_that_is_off_is_counts_instead_of_entries() -> None:
    asked = demand(replace(TOWN, rooms=20), COSTS, Limits())
    messages = 10_000 * 12 / 3_600
    assert asked.per_s["append"] == pytest.approx(messages)
    assert asked.per_s["signal"] == pytest.approx(2 * messages + 20 * 4 / 3)


def test_all_of_it_can_be_measured_and_shown(tmp_path: Path) -> None:
    costs = measure(0.05)
    assert all(value >= 0 for value in msgspec.to_builtins(costs).values())
    assert costs.entry_bytes > 0  # microseconds of so short a look may well be none
    shape = Shape(40, 4, 2, messages_per_user_h=3_600, visits_per_user_h=360)
    found = check(shape, costs, 1.0)
    written = write({"costs": msgspec.to_builtins(costs), "checks": [found]}, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"figures.json", "costs.md", "checks.md", "large.md", "world.md"}
    assert "40 users, 4 rooms, 2 nodes" in written
