"""Twenty faults befall four nodes, and a way of breaking them on purpose is found out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.__main__ import parts
from tests.cluster.befalling import FAULTS

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.socket, pytest.mark.timeout(300)]


def campaign(*arguments: str) -> tuple[int, str]:
    """Run `scripts/campaign` with these, and return its exit status and all it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.cluster", *arguments],
        cwd=PROJECT,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=280,
    )
    return ran.returncode, ran.stdout


def test_whatever_befalls_them_nothing_acknowledged_is_lost() -> None:
    status, printed = campaign()
    print(printed)
    assert status == 0
    assert "none lost" in printed
    (_, names) = parts(None, False, 0)[0]
    assert len(names) >= 20


def test_a_server_that_loses_everything_is_told_of() -> None:
    status, printed = campaign("--only", "flush")
    print(printed)
    assert status == 0
    assert "lost with the server and told" in printed


def test_nodes_that_acknowledge_what_they_do_not_store_are_found_out() -> None:
    status, printed = campaign("--only", "scripts", "--spoil")
    assert status == 1
    assert "is lost" in printed


def test_all_of_it_is_every_fault_and_each_where_it_belongs() -> None:
    everything = parts(None, True, 0)
    assert {name for _, names in everything for name in names} == FAULTS.keys()
    for shape, names in everything:
        assert {FAULTS[name].on for name in names} == {shape}
        assert len(names) == 1 or not any(FAULTS[name].loses for name in names)
