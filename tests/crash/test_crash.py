"""The server is killed 20 times, and the two ways of breaking it on purpose are found out."""

from __future__ import annotations

import pytest

from tests.crash.running import campaign

ROUNDS = 4


def crash(*arguments: str) -> tuple[int, str]:
    """Run `scripts/crash` with these."""
    return campaign("tests.crash", *arguments, timeout=110)


@pytest.mark.socket
def test_nothing_acknowledged_is_lost_however_often_the_server_is_killed() -> None:
    status, printed = crash("--kills", "20")
    print(printed)
    assert status == 0
    assert "20 kills" in printed


@pytest.mark.socket
def test_a_store_that_forgets_is_found_out() -> None:
    status, printed = crash("--kills", "2", "--spoil", "memory")
    assert status == 1
    assert "is lost" in printed


@pytest.mark.socket
def test_clients_that_resend_under_a_new_key_are_found_out() -> None:
    """A kill need not fall between a commit and its acknowledgement, but most rounds have one."""
    for _ in range(ROUNDS):
        status, printed = crash("--kills", "8", "--spoil", "keys")
        if status:
            assert "was posted 2 times" in printed
            return
    pytest.fail(f"{ROUNDS} rounds of 8 kills and no message was doubled")
