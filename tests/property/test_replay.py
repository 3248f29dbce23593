"""Law 14 beyond one process: another interpreter, with another order of hashes, says the same."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from roomkit.limits import Limits
from roomkit.testing.laws import Laws
from roomkit.testing.laws.replay import Trace
from roomkit.testing.lives.crowd import PEOPLE, ROOMS, Crowd
from roomkit.testing.lives.life import BRIEF, odd_policy
from roomkit.testing.machine import RoomMachine
from roomkit.testing.world import World

FEW = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

ELSEWHERE = """
import pickle, sys
from roomkit.testing.laws.replay import replay
from roomkit.testing.lives.life import odd_policy

for limits, trace in pickle.load(open(sys.argv[1], "rb")):
    replay(trace, limits, odd_policy)
"""


def random_lives() -> list[tuple[Limits, Trace]]:
    """Traces of nodes that lived at random."""
    found: list[tuple[Limits, Trace]] = []

    class Recorded(RoomMachine):
        def teardown(self) -> None:
            super().teardown()
            if hasattr(self, "laws"):
                found.extend((self.world.limits, one) for one in self.laws.traces)

    run_state_machine_as_test(Recorded, settings=FEW)
    return found


def two_nodes_die_at_once() -> list[tuple[Limits, Trace]]:
    """Traces of nodes of which one has to write down that several others are lost."""
    world = World(Limits(**BRIEF), odd_policy)
    laws = Laws(world, odd_policy)
    crowd = Crowd(world, laws)
    nodes = [world.node() for _ in range(5)]
    for node, person in zip(nodes, PEOPLE, strict=True):
        crowd.join(crowd.open(person, 2, node), ROOMS[0], "none", None, f"guest-{node.name}")
    world.settle()
    for node in nodes[1:]:
        crowd.lose(node)
    crowd.pass_time(20_000, settled=True)
    assert len(laws.truth.tip(ROOMS[0]).roster) == 1
    return [(world.limits, trace) for trace in laws.traces]


def test_a_trace_replayed_by_another_interpreter_is_the_same(tmp_path: Path) -> None:
    lives = tmp_path / "lives.pickle"
    lives.write_bytes(pickle.dumps([*random_lives(), *two_nodes_die_at_once()]))
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(lives)],
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
