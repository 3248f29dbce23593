"""The shipped vectors are what the engine and the machine do today, and each can be failed."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, cast

import pytest

from roomkit.testing.vectors import Mismatch, documents, play

PUBLISHED = {
    path.name: path.read_text(encoding="utf-8")
    for path in files("roomkit.client").joinpath("vectors").iterdir()
}
NAMES = sorted(PUBLISHED)


@pytest.fixture(scope="module")
def recorded() -> dict[str, str]:
    return documents()


def test_every_scenario_is_published_and_nothing_else(recorded: dict[str, str]) -> None:
    assert sorted(recorded) == NAMES
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_a_vector_is_what_the_engine_and_the_machine_do(
    name: str, recorded: dict[str, str]
) -> None:
    assert recorded[name] == PUBLISHED[name], "run scripts/vectors, and read what changed"


@pytest.mark.parametrize("name", NAMES)
def test_the_machine_plays_a_vector(name: str) -> None:
    play(json.loads(PUBLISHED[name]))


@pytest.mark.parametrize("name", NAMES)
def test_a_vector_fails_if_what_it_expects_is_missing_or_different(name: str) -> None:
    vector: dict[str, Any] = json.loads(PUBLISHED[name])
    steps = cast("list[dict[str, Any]]", vector["steps"])
    told = [
        number for number, step in enumerate(steps) if {"out", "reconnect_in", "close"} & set(step)
    ]
    for number in told:
        with pytest.raises(Mismatch):
            play({**vector, "steps": steps[:number] + steps[number + 1 :]})
    shown = {**steps[-1]["view"], "user": {"user_id": "u-other", "username": "other"}}
    with pytest.raises(Mismatch):
        play({**vector, "steps": [*steps[:-1], {"at": steps[-1]["at"], "view": shown}]})
