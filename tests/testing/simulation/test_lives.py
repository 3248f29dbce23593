"""Lives of whole services: every law holds, and a seed means the same everywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest
from msgspec.structs import replace

from roomkit.testing.simulation import Simulation
from roomkit.testing.simulation.faults import FAULTS
from roomkit.testing.simulation.people import PEOPLE
from roomkit.testing.simulation.plan import FAULTS_DO, HOST_DOES, LARGE, PEOPLE_DO, plan
from roomkit.testing.simulation.runs import STEPS

SEEDS = 50

ELSEWHERE = """
import sys
from tests.testing.simulation.test_lives import digest
sys.stdout.write(digest(int(sys.argv[1])))
"""


def digest(seed: int) -> str:
    """Return what is left of everything that happens in a life."""
    journal = "\n".join(Simulation().journal(seed))
    return hashlib.sha256(journal.encode(errors="surrogatepass")).hexdigest()


@pytest.mark.timeout(300)
def test_every_law_holds() -> None:
    tally = Simulation().run(range(SEEDS))
    assert tally["seen acked"] > SEEDS


@pytest.mark.parametrize("seed", [3, 16])
def test_a_seed_means_the_same_in_every_interpreter(seed: int) -> None:
    here = digest(seed)
    assert digest(seed) == here
    for hashes in ("1", "2"):
        elsewhere = subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(seed)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": hashes, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert elsewhere.stdout == here


def test_every_life_has_enough_of_everything() -> None:
    for seed in range(1_000):
        setup, steps = plan(seed, STEPS)
        assert len(steps) == STEPS
        assert setup.modern >= 3
        assert len(set(setup.faults)) >= 2


def test_a_world_is_as_large_as_it_is_said_to_be() -> None:
    for seed in range(50):
        setup, steps = plan(seed, STEPS, nodes=3, clients=20)
        assert (setup.nodes, setup.modern + setup.legacy) == (3, 20)
        assert len(steps) == STEPS
    assert plan(7, STEPS, nodes=1, clients=1)[0].modern == 1


def test_how_many_clients_there_are_changes_nothing_else() -> None:
    for seed in range(50):
        drawn, steps = plan(seed, STEPS)
        larger, same_steps = plan(seed, STEPS, drawn.nodes, clients=12)
        assert same_steps == steps
        assert replace(larger, modern=0, legacy=0) == replace(drawn, modern=0, legacy=0)


def test_a_world_is_large_now_and_then() -> None:
    large = [seed for seed in range(1_000) if plan(seed, STEPS)[0].modern > 4]
    assert len(large) == pytest.approx(1_000 / LARGE, rel=0.5)


@pytest.mark.timeout(120)
def test_a_large_world_lives() -> None:
    tally = Simulation(nodes=3, clients=20).run(range(3))
    assert tally["seen large world"] == 3


def test_everything_that_is_planned_is_done() -> None:
    planned = {*PEOPLE_DO, *HOST_DOES, *(name for names in FAULTS_DO.values() for name in names)}
    assert planned == {*PEOPLE, *FAULTS}
