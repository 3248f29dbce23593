"""The bot over the network answers, and answers again after the server was away."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest

from roomkit.client import Room, connect
from tests.client.cable import served
from tests.examples.running import EXAMPLES, environment

pytestmark = pytest.mark.socket

SECONDS = 20.0


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The bot chooses its own event loop; the test's needs no second one."""
    return "asyncio"


@contextmanager
def bot(url: str) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "network_bot.py"), url],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answered(room: Room, text: str) -> bool:
    return any(message["message"] == f"alice said: {text}" for message in room.messages)


async def test_the_bot_answers_also_after_the_server_was_away() -> None:
    async with served() as cable, connect(cable.url, username="alice") as alice:
        room = alice.room("lobby")
        await room.joined()
        with bot(cable.url) as process, anyio.fail_after(SECONDS):
            await alice.until(lambda: len(room.occupants) == 2)
            await room.send("one")
            await alice.until(lambda: answered(room, "one"))
            cable.unplug()
            await cable.stop()
            await cable.start()
            cable.plug()
            alice.hint()
            await room.send("two")
            await alice.until(lambda: answered(room, "two"))
            process.send_signal(signal.SIGINT)
            output, _ = await anyio.to_thread.run_sync(lambda: process.communicate(timeout=15))
        assert (process.returncode, "Traceback" in output) == (0, False), output
