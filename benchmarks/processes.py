"""Servers in processes of their own, pinned away from the load where there are two processors."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "LOAD_PROCESSOR",
    "SERVER_PROCESSOR",
    "Server",
    "Usage",
    "open_files",
    "pin",
    "say",
    "server",
]

SERVER_PROCESSOR, LOAD_PROCESSOR = 0, 1
_START_S = 30.0
_MIB = 1024 * 1024


class Usage(NamedTuple):
    """Seconds of processor time, in the program and in the system on its behalf."""

    user: float
    system: float

    def since(self, before: Usage) -> Usage:
        """Return what was used in between."""
        return Usage(self.user - before.user, self.system - before.system)


class Server(NamedTuple):
    """A server that runs."""

    port: int
    pid: int

    def usage(self) -> Usage:
        """Return what it has used; Linux only."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        ticks = os.sysconf("SC_CLK_TCK")
        return Usage(int(user) / ticks, int(system) / ticks)

    def processor_s(self) -> float | None:
        """Return the seconds of processor time it has used; None where /proc does not tell."""
        return sum(self.usage()) if Path("/proc/self/stat").exists() else None

    def kill(self) -> None:
        """End it without a word."""
        os.kill(self.pid, signal.SIGKILL)

    def memory_mib(self) -> float:
        """Return the memory that is its own and resident."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / _MIB


@contextlib.contextmanager
def server(*arguments: str, module: str = "benchmarks.servers") -> Generator[Server]:
    """Run a module that prints the port it serves at; what it says to stderr is dropped.

    Raises:
        ChildProcessError: it ended, or did not answer within half a minute.
    """
    command = [sys.executable, "-m", module, *arguments]
    pin(0, SERVER_PROCESSOR)  # what is started now stays there with all its threads
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    finally:
        pin(0, LOAD_PROCESSOR)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise ChildProcessError(f"{command[2:]} said {line!r} and no port: start it by hand")
        yield Server(_answering(int(line), command), process.pid)
    finally:
        process.kill()  # a polite end takes seconds with so many connections
        process.wait()


def _answering(port: int, command: Sequence[str]) -> int:
    """Return the port when somebody listens there: not every server can say when it does."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return port
        time.sleep(0.01)
    raise ChildProcessError(f"{command[2:]} does not listen at port {port}: start it by hand")


def pin(pid: int, processor: int) -> None:
    """Keep a process (0 is this one) and threads it starts from now on to one processor."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {processor})


def open_files() -> int:
    """Have this process, and those it starts, open as many files as they may; return how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def say(text: str) -> None:
    """Show progress."""
    print(text, flush=True)
