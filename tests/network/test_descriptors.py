"""A server that can open no more files: those inside talk on, others come in when some are free."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import anyio
import pytest

from roomkit.client import Room, connect
from tests.runtime.scripted import eventually
from tests.stores.redis.servers import free_port

pytestmark = [pytest.mark.socket, pytest.mark.timeout(60)]

SPARE, MANY = 8, 40


@contextmanager
def serving(kind: str, port: int, file: Path) -> Generator[int]:
    """Run a server; its process id."""
    command = [sys.executable, "-m", "tests.network.scarce", kind, str(port), str(file)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def opened(pid: int) -> int:
    """How many files a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def heard(room: Room, text: str) -> bool:
    """Tell whether somebody has said this."""
    return any(message["message"] == text for message in room.messages)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("kind", ["uvicorn", "asyncio", "trio"])
async def test_whoever_is_in_talks_on_when_no_file_can_be_opened(kind: str, tmp_path: Path) -> None:
    port = free_port()
    url = f"ws://127.0.0.1:{port}/ws"
    with (
        anyio.fail_after(50),
        serving(kind, port, tmp_path / "chat.db") as pid,
        ExitStack() as crowd,
    ):
        async with connect(url, username="alice") as alice, connect(url, username="bob") as bob:
            here, there = alice.room("general"), bob.room("general")
            await here.send("good morning")
            await eventually(lambda: heard(there, "good morning"))
            most = opened(pid) + SPARE
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
            for _ in range(MANY):
                crowd.enter_context(closing(socket.create_connection(("127.0.0.1", port))))
            await eventually(lambda: opened(pid) == most)
            await here.send("it is crowded")
            await eventually(lambda: heard(there, "it is crowded"))
            crowd.close()
            async with connect(url, username="carol") as carol:
                await carol.room("general").send("there is room again")
                await eventually(lambda: heard(there, "there is room again"))
