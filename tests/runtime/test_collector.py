"""The garbage collector of a chat's own process."""

from __future__ import annotations

import subprocess
import sys

ASK = """
import gc
from roomkit import calm_collector
usual = gc.get_threshold()
calm_collector()
class Loop:
    def __init__(self): self.me = self
seen = []
gc.callbacks.append(lambda phase, _: seen.append(phase))
for _ in range(100_000): Loop()
print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0] > usual[0], "start" in seen)
"""


def test_what_was_there_is_left_alone_and_garbage_is_still_collected() -> None:
    told = subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["True", "True", "True"]
