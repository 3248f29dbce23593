"""Lives of whole services: every law holds, and a seed means the same everywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from roomkit.testing.simulation import Simulation
from roomkit.testing.simulation.faults import FAULTS
from roomkit.testing.simulation.people import PEOPLE
from roomkit.testing.simulation.plan import FAULTS_DO, HOST_DOES, PEOPLE_DO, plan
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


def test_everything_that_is_planned_is_done() -> None:
    planned = {*PEOPLE_DO, *HOST_DOES, *(name for names in FAULTS_DO.values() for name in names)}
    assert planned == {*PEOPLE, *FAULTS}
