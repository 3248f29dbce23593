"""A server process that is killed and started again on the same port and file."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import anyio

__all__ = ["MortalServer"]

READY_S = 20.0


class MortalServer:
    """`tests.crash.server` on one port of this machine.

    Args:
        store: path of a SQLite file, or `memory:`.

    Attributes:
        port: the same through all its lives.
        kills: how often it was killed.
        back_s: how long each start took until it listened.
    """

    def __init__(self, store: str) -> None:
        self._store = store
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.kills = 0
        self.back_s: list[float] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    async def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            RuntimeError: it ended, or did not listen in time; its output is on our standard error.
        """
        began = time.monotonic()
        self._process = process = self._spawn()
        while not await self._listens():
            status = process.poll()
            if status is not None or time.monotonic() > began + READY_S:
                raise RuntimeError(f"the server did not start (status {status}): see above")
            await anyio.sleep(0.01)
        self.back_s.append(time.monotonic() - began)

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody is told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def die_and_rise(self) -> None:
        """Kill it and start it at once."""
        self.kill()
        self.kills += 1
        await self.start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.crash.server", str(self.port), self._store],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    async def _listens(self) -> bool:
        try:
            await (await anyio.connect_tcp("127.0.0.1", self.port)).aclose()
        except OSError:
            return False
        return True
