"""Servers in processes of their own, pinned away from the load where there are two processors."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Server", "pin", "say", "server"]


class Server(NamedTuple):
    """A server that runs; `processor_s` tells what it has used."""

    port: int
    pid: int

    def processor_s(self) -> float | None:
        """Return the seconds of processor time it has used; None where /proc does not tell."""
        stat = Path(f"/proc/{self.pid}/stat")
        if not stat.exists():
            return None
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def server(*arguments: str) -> Generator[Server]:
    """Run `benchmarks.servers` with these arguments."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.servers", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def pin(pid: int, processor: int) -> None:
    """Keep a process (0 is this one) and threads it starts from now on to one processor."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {processor})


def say(text: str) -> None:
    """Show progress."""
    print(text, flush=True)
