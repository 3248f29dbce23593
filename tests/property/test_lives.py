"""Random lives of one to three nodes: whatever happens, every law holds after every step.

`HYPOTHESIS_PROFILE=long` looks for as long as an evening allows.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from roomkit.testing.machine import RoomMachine

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"

pytestmark = pytest.mark.timeout(12 * 3_600 if LONG else 900)  # making a failure small takes time

TestLives = RoomMachine.TestCase
TestLives.settings = settings(
    max_examples=20_000 if LONG else 200,
    stateful_step_count=80 if LONG else 50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
