"""What the simulator prints, and how it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import count

import anyio
import pytest

from roomkit.testing.simulation import Simulation, SimulationFailed, Tally, __main__
from roomkit.testing.simulation.__main__ import main
from roomkit.testing.simulation.tally import CONDITIONS, FAULTS, SEEN
from tests.processes import children, runs
from tests.property import breakages
from tests.runtime.scripted import eventually

PATIENCE_S = 60.0


def full_tally() -> Tally:
    """One of everything."""
    tally = Tally()
    for name in FAULTS:
        tally.fault(name)
    for law in CONDITIONS:
        tally.law(law)
    for name in SEEN:
        tally.seen(name)
    return tally


def test_it_shows_its_progress_and_ends_with_a_summary() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "roomkit.testing.simulation", "--seeds", "30", "--jobs", "2"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1].startswith("30 of 30 seeds, ")
    assert done.stdout.splitlines()[-1].startswith("every law held: 30 seeds of 300 steps in ")


@pytest.mark.skipif(sys.platform != "linux", reason="its processes are found in /proc")
async def test_nothing_lives_on_when_it_is_killed() -> None:
    command = [sys.executable, "-m", "roomkit.testing.simulation", "--seeds", "9999", "--jobs", "2"]
    async with await anyio.open_process(command, stdout=None, stderr=None) as simulator:
        # Two, and one that tracks their resources.
        await eventually(lambda: len(children(simulator.pid)) >= 3, "a start", PATIENCE_S)
        processes = children(simulator.pid)
        simulator.kill()
    await eventually(lambda: not any(map(runs, processes)), "their end", PATIENCE_S)


def test_a_failure_names_its_seed_and_the_steps_that_are_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breakages.replay_too_little(monkeypatch)
    with pytest.raises(SimulationFailed) as failed:
        Simulation().run(range(5))
    failure = failed.value
    assert failure.law == 2
    assert len(failure.only) < 20
    only = ",".join(map(str, failure.only))
    arguments = ["--seed", str(failure.seed), "--steps", "300", "--only", only]
    assert str(failure).endswith(f"python -m roomkit.testing.simulation {' '.join(arguments)}")
    assert main(arguments) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"FAILED: seed {failure.seed} breaks law 2"
    monkeypatch.undo()
    assert main(arguments) == 0


def test_a_failure_in_a_world_of_a_given_size_is_shown_again_in_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breakages.replay_too_little(monkeypatch)
    size = ["--nodes", "2", "--clients", "6"]
    assert main([*size, "--seeds", "5", "--jobs", "1"]) == 1
    again = capsys.readouterr().out.rsplit("python -m roomkit.testing.simulation ", 1)[1]
    arguments = again.splitlines()[0].split()
    assert arguments[4:8] == size
    assert main(arguments) == 1
    monkeypatch.undo()
    assert main(arguments) == 0


@pytest.mark.parametrize("missing", ["fault cut", "law 7", "seen recovered false"])
def test_a_long_run_fails_if_something_never_came_up(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = full_tally()
    monkeypatch.setattr(__main__, "run_many", lambda seeds, *_: (tally, len(seeds)))
    arguments = ["--seeds", str(__main__.ENOUGH)]
    assert main(arguments) == 0
    del tally[missing]
    assert main(arguments) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"these never came up: {missing}")


def test_it_ends_in_time_with_as_many_as_it_could(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "run_many", lambda *_: (full_tally(), __main__.ENOUGH))
    assert main(["--seeds", "10000", "--within", "60"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("every law held: 2,000 of 10,000 seeds of 300 steps in ")


def test_too_few_lives_within_the_time_are_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = count(0, 30)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    assert main(["--seeds", "200", "--jobs", "1", "--steps", "1", "--within", "90"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "FAILED: 90 s are too few: every law held, but in 20 seeds only"
