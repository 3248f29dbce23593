"""What /proc says of processes."""

from __future__ import annotations

from pathlib import Path


def runs(pid: int) -> bool:
    """Whether a process does anything; one that ended may not have been waited for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children(pid: int) -> list[int]:
    """The processes a process has begun, of those that run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
