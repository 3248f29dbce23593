"""The bundled chat server as people run it: a process of its own, which a test may kill."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

MAIN = Path(__file__).resolve().parents[2] / "examples/websocket-chat/main.py"
READY_S = 20.0


class ExampleServer:
    """`python examples/websocket-chat/main.py` on one port of this machine.

    Args:
        folder: where it runs and writes its log.
        settings: `ROOMKIT_…` for its environment.

    Attributes:
        port: where it listens on 127.0.0.1.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self.port = free_port()
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers `/health`.

        Raises:
            RuntimeError: it ended or stayed silent; the message has its output.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(MAIN)],
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{MAIN.name} did not answer:\n{self._log.read_text()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a crash would: nobody is told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


def free_port() -> int:
    """Return a port nobody listens on; taken again before anybody else is likely to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
