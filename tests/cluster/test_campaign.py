"""Twenty faults befall four nodes, and a way of breaking them on purpose is found out."""

from __future__ import annotations

import pytest

from tests.cluster.__main__ import parts
from tests.cluster.befalling import FAULTS
from tests.crash.running import campaign
from tests.network.walls import missing

pytestmark = [pytest.mark.socket, pytest.mark.timeout(300)]


def befall(*arguments: str) -> tuple[int, str]:
    """Run `scripts/campaign` with these."""
    return campaign("tests.cluster", *arguments, timeout=280)


def test_whatever_befalls_them_nothing_acknowledged_is_lost() -> None:
    status, printed = befall()
    print(printed)
    assert status == 0
    assert "none lost" in printed
    (_, names) = parts(None, False, 0)[0]
    assert len(names) >= 20


def test_a_server_that_loses_everything_is_told_of() -> None:
    status, printed = befall("--only", "flush")
    print(printed)
    assert status == 0
    assert "lost with the server and told" in printed


def test_nodes_that_acknowledge_what_they_do_not_store_are_found_out() -> None:
    status, printed = befall("--only", "scripts", "--spoil")
    assert status == 1
    assert "is lost" in printed


@pytest.mark.parametrize("fault", ["wall", "split, replicated"])
def test_networks_that_fail_lose_nothing(fault: str) -> None:
    if lacking := missing():
        pytest.skip(lacking)
    status, printed = befall("--only", fault)
    print(printed)
    assert status == 0
    assert "none lost" in printed


def test_all_of_it_is_every_fault_and_each_where_it_belongs() -> None:
    everything = parts(None, True, 0)
    assert {name for _, names in everything for name in names} == FAULTS.keys()
    for shape, names in everything:
        assert {FAULTS[name].on for name in names} == {shape}
        assert len(names) == 1 or not any(FAULTS[name].loses for name in names)
