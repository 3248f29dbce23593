"""Running a campaign as its script does, and keeping all it prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["campaign"]

PROJECT = Path(__file__).resolve().parents[2]


def campaign(module: str, *arguments: str, timeout: float) -> tuple[int, str]:
    """Run a module with these; return its exit status and what it printed.

    Args:
        timeout: seconds it may take.
    """
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=PROJECT,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout,
    )
    return ran.returncode, ran.stdout
