"""An example as its reader runs it: a process of its own, found by the port it was given."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from roomkit.testing.transport_suite.harness import hello, join
from roomkit.testing.websocket_client import SocketClosed, WebsocketClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
READY_S = 20.0


class Example:
    """A running example.

    Attributes:
        port: where it listens on 127.0.0.1.
    """

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.port = port
        self._process = process

    def must_run(self) -> None:
        """Raise with everything printed if it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"it ended by itself: {self._process.communicate()[0]}")

    def kill(self) -> None:
        """End it whatever it does."""
        self._process.kill()
        self._process.communicate()

    async def stop(self, sent: signal.Signals) -> tuple[int, str]:
        """Send a signal and return the exit status and everything printed."""
        self._process.send_signal(sent)
        output, _ = await anyio.to_thread.run_sync(lambda: self._process.communicate(timeout=15))
        return self._process.returncode, output

    async def answers(self) -> bool:
        try:
            await (await anyio.connect_tcp("127.0.0.1", self.port)).aclose()
        except OSError:
            return False
        return True


def start(
    folder: Path, script: str, arguments: Sequence[str], settings: Mapping[str, str]
) -> Example:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / script), *arguments],
        cwd=folder,
        env=environment(PORT=str(port), **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Example(process, port)


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with these settings, and its import path."""
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": path, **settings}


@asynccontextmanager
async def running(
    folder: Path, script: str, *arguments: str, **settings: str
) -> AsyncGenerator[Example]:
    """Run a script of the examples in a folder, and wait until it listens."""
    example = start(folder, script, arguments, settings)
    try:
        with anyio.fail_after(READY_S):
            while not await example.answers():
                example.must_run()
                await anyio.sleep(0.05)
        yield example
    finally:
        example.kill()


async def converse(url: str) -> None:
    """Have two people meet in the lobby and say something."""
    connect = WebsocketClient.connect
    async with connect(url) as alice, connect(url) as bob:
        await hello(alice, "alice")
        await join(alice, "lobby")
        await hello(bob, "bob")
        await join(bob, "lobby")
        await bob.send("send_message", room="lobby", message="good morning")
        said = await alice.until("new_message")
        assert (said["username"], said["message"]) == ("bob", "good morning")


async def farewell(client: WebsocketClient) -> tuple[list[str], int]:
    """Return the types of the last frames and the close code."""
    types: list[str] = []
    while True:
        try:
            types.append((await client.receive()).type)
        except SocketClosed as closed:
            return types, closed.code
