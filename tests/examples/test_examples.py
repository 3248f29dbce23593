"""Every example runs as its first lines say, carries a conversation, and stops when asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import anyio
import httpx2
import pytest

from roomkit.core.inputs import Drain
from roomkit.testing.transport_suite.harness import hello, join
from roomkit.testing.websocket_client import WebsocketClient
from roomkit.trace import read_trace
from tests.examples.running import EXAMPLES, converse, environment, farewell, running
from tests.trace.recorded import differences

pytestmark = pytest.mark.socket


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The examples choose their own event loop; the test's needs no second one."""
    return "asyncio"


@pytest.mark.parametrize(
    ("script", "arguments", "path"),
    [
        ("websocket-chat/main.py", [], "/ws"),
        ("fastapi_chat.py", [], "/ws"),
        ("raw_websockets.py", [], "/"),
        ("raw_websockets.py", ["--trio"], "/"),
        ("echo_bot.py", [], "/"),
    ],
    ids="".join,
)
async def test_people_meet_and_are_told_when_it_stops(
    tmp_path: Path, script: str, arguments: list[str], path: str
) -> None:
    async with running(tmp_path, script, *arguments) as example:
        url = f"ws://127.0.0.1:{example.port}{path}"
        await converse(url)
        async with WebsocketClient.connect(url) as alice:
            await hello(alice, "carol")
            ends: list[tuple[list[str], int]] = []
            stopped: list[tuple[int, str]] = []

            async def wait() -> None:
                ends.append(await farewell(alice))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                stopped.append(await example.stop(signal.SIGINT))
        assert ends == [(["reconnect"], 4000)]
        (status, output) = stopped[0]
        assert (status, "Traceback" in output) == (0, False)


def run_chat(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the chat server where it is expected to end by itself."""
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "websocket-chat/main.py")],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        check=False,
        text=True,
        timeout=20,
    )


class TestTheChat:
    async def test_is_recorded_if_asked_to(self, tmp_path: Path) -> None:
        record = tmp_path / "trace"
        async with running(
            tmp_path, "websocket-chat/main.py", ROOMKIT_RECORD=str(record)
        ) as example:
            await converse(f"ws://127.0.0.1:{example.port}/ws")
            await example.stop(signal.SIGINT)
        assert differences(record) == []
        assert any(isinstance(step.input, Drain) for step in read_trace(record)[0].steps())

    """`examples/websocket-chat`, without a browser."""

    async def test_it_is_quiet_says_where_it_is_and_leaves_one_file_behind(
        self, tmp_path: Path
    ) -> None:
        async with running(tmp_path, "websocket-chat/main.py") as example:
            await converse(f"ws://127.0.0.1:{example.port}/ws")
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{example.port}") as client:
                for _ in range(120):
                    assert (await client.get("/health")).status_code == 200
            url = f"http://localhost:{example.port}"
            assert await example.stop(signal.SIGINT) == (
                0,
                (
                    "roomkit chat: rooms are kept in sqlite:chat.db (ROOMKIT_STORE)\n"
                    f"roomkit chat: {url} (Ctrl-C stops it)\n"
                ),
            )
        assert sorted(os.listdir(tmp_path)) == ["chat.db", "chat.db.lock"]

    async def test_the_page_and_its_files_come_with_strict_headers(self, tmp_path: Path) -> None:
        strict = {
            "content-security-policy": (
                "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
                "style-src 'self'; script-src 'self'; frame-ancestors 'none'; base-uri 'none'"
            ),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cache-control": "no-cache",
        }
        async with (
            running(tmp_path, "websocket-chat/main.py") as example,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{example.port}") as client,
        ):
            for path, kind in {"/": "text/html", "/static/main.js": "text/javascript"}.items():
                answer = await client.get(path, headers={"Origin": "https://evil.example"})
                assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
                assert {name: answer.headers[name] for name in strict} == strict
                assert "access-control-allow-origin" not in answer.headers
            known = (await client.get("/static/main.js")).headers["etag"]
            again = await client.get("/static/main.js", headers={"If-None-Match": known})
            assert again.status_code == 304
            for outside in ("/static/../main.py", "/static/%2e%2e/main.py", "/static/"):
                assert (await client.get(outside)).status_code == 404

    async def test_rooms_and_their_history_are_there_over_http(self, tmp_path: Path) -> None:
        async with (
            running(tmp_path, "websocket-chat/main.py") as example,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{example.port}") as client,
        ):
            await converse(f"ws://127.0.0.1:{example.port}/ws")
            assert (await client.get("/rooms")).json() == {
                "rooms": [{"name": "lobby"}],
                "next": None,
            }
            history = (await client.get("/rooms/lobby/history")).json()
            assert [message["message"] for message in history["messages"]] == ["good morning"]

    async def test_what_was_said_is_there_after_it_was_killed(self, tmp_path: Path) -> None:
        async with running(tmp_path, "websocket-chat/main.py") as example:
            await converse(f"ws://127.0.0.1:{example.port}/ws")
        async with (
            running(tmp_path, "websocket-chat/main.py") as example,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{example.port}") as client,
        ):
            history = (await client.get("/rooms/lobby/history")).json()
        assert [message["message"] for message in history["messages"]] == ["good morning"]

    async def test_the_environment_sets_it_up(self, tmp_path: Path) -> None:
        settings = {"ROOMKIT_MESSAGES_BURST": "1", "ROOMKIT_ORIGINS": "https://friend.example"}
        async with running(tmp_path, "websocket-chat/main.py", **settings) as example:
            url = f"ws://127.0.0.1:{example.port}/ws"
            headers = {"Origin": "https://friend.example"}
            async with WebsocketClient.connect(url, headers=headers) as alice:
                await hello(alice, "alice")
                await join(alice, "lobby")
                for ref in ("1", "2"):
                    await alice.send("send_message", room="lobby", message="hi", ref=ref)
                assert (await alice.until("error"))["code"] == "rate_limited"

    def test_a_wrong_setting_is_named_and_nothing_is_started(self, tmp_path: Path) -> None:
        result = run_chat(tmp_path, ROOMKIT_STORE="mysql://here", ROOMKIT_FRAMES_PER_S="many")
        assert (result.returncode, result.stdout) == (1, "")
        headline, store, frames = result.stderr.splitlines()
        assert headline == "roomkit: the environment is wrong; change these and start again:"
        assert store.startswith(
            "  ROOMKIT_STORE is 'mysql://here': expected memory:, sqlite:PATH, "
        )
        assert frames == (
            "  ROOMKIT_FRAMES_PER_S is 'many': expected a whole number from 1 to 2^53 - 1"
        )

    def test_a_port_in_use_is_said(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            result = run_chat(tmp_path, PORT=str(taken.getsockname()[1]))
        assert result.returncode != 0
        assert "address already in use" in result.stderr
        assert "Traceback" not in result.stderr


async def test_the_bot_says_what_people_said(tmp_path: Path) -> None:
    async with (
        running(tmp_path, "echo_bot.py") as example,
        WebsocketClient.connect(f"ws://127.0.0.1:{example.port}") as alice,
    ):
        await hello(alice, "alice")
        await join(alice, "lobby")
        await alice.send("send_message", room="lobby", message="is there an echo?")
        await alice.expect("new_message", username="alice", message="is there an echo?")
        await alice.expect("new_message", username="echo", message="alice said: is there an echo?")


async def test_the_application_of_the_fastapi_example_announces(tmp_path: Path) -> None:
    async with (
        running(tmp_path, "fastapi_chat.py") as example,
        WebsocketClient.connect(f"ws://127.0.0.1:{example.port}/ws") as alice,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{example.port}") as client,
    ):
        await hello(alice, "alice")
        await join(alice, "lobby")
        answer = await client.post("/announce/lobby", params={"text": "the bar is open"})
        assert (answer.status_code, answer.json()) == (200, {"seq": 2})
        await alice.expect("new_message", type="system", message="the bar is open", seq=2)
