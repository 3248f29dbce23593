"""A real PostgreSQL, started by the tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.stores.redis.servers import free_port

__all__ = ["PASSWORD", "TestDatabase", "database"]

PASSWORD = "correct-horse"
_PATIENCE_S = 20.0
_OWNER = "postgres"  # the server refuses to run as root


def _program(name: str) -> str:
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(debian[-1]) if debian else shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine: install Debian's package postgresql")
    return found


class TestDatabase:
    """A server process on a port of its own.

    Args:
        folder: its own.

    Attributes:
        url: of a database there.
    """

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"postgresql://alice:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        self._data = folder / "data"
        self._owner = _OWNER if os.getuid() == 0 else None
        secret = folder / "password"
        secret.write_text(PASSWORD)
        if self._owner is not None:
            for path in (folder, secret):
                shutil.chown(path, self._owner, self._owner)
        self._process: subprocess.Popen[bytes] | None = None
        made = self._begin(
            "initdb", "--pgdata", str(self._data), "--username", "alice", "--pwfile", str(secret),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync",
        )  # fmt: skip
        assert made.wait() == 0

    def _begin(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [_program(program), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._data.parent,
            user=self._owner,
            group=self._owner,
            extra_groups=None if self._owner is None else [],
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = self._begin(
            "postgres", "-D", str(self._data), "-p", str(self.port), "-c", "fsync=off",
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
        )  # fmt: skip
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            try:
                self.ask("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.02)  # a process that starts tells nobody when it has
            else:
                return
        raise TimeoutError("the database does not answer")

    def link(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url, autocommit=True)

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of a statement; none for one that has no rows."""
        with self.link() as link:
            found = link.execute(statement.encode())
            return found.fetchall() if found.description else []

    def stop(self) -> None:
        """Have it end at once, as in a crash, and wait until it is gone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self._process = None

    @property
    def runs(self) -> bool:
        return self._process is not None


@contextmanager
def database() -> Generator[TestDatabase]:
    """Run a server, empty at first."""
    with TemporaryDirectory() as folder:
        server = TestDatabase(Path(folder))
        server.start()
        try:
            yield server
        finally:
            if server.runs:
                server.stop()
