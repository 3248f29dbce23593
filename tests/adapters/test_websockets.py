"""The adapter for the `websockets` library, on asyncio and trio: the suite, and leaving."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import pytest

from roomkit import Hub, HubNotRunning, Limits
from roomkit.testing.transport_suite import TransportSuite
from roomkit.testing.transport_suite.harness import Chat, hello, join
from roomkit.testing.websocket_client import WebsocketClient
from roomkit_websockets import listen, serve


@pytest.mark.socket
class TestWebsockets(TransportSuite):
    @asynccontextmanager
    async def serve(self, hub: Hub) -> AsyncGenerator[str]:
        async with listen(hub, "127.0.0.1", 0) as (host, port):
            yield f"ws://{host}:{port}/anywhere"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.mark.socket
async def test_cancelling_serve_says_goodbye() -> None:
    hub, port = Hub(), free_port()
    serving = anyio.CancelScope()

    async def serve_until_cancelled() -> None:
        with serving:
            await serve(hub, "127.0.0.1", port)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve_until_cancelled)
        with anyio.fail_after(5):
            while not hub.running:  # noqa: ASYNC110 - serve() tells nobody when it listens
                await anyio.sleep(0.01)
        async with Chat(hub, f"ws://127.0.0.1:{port}").connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")
            serving.cancel()
            await alice.expect("reconnect", reason="the server is stopping")
            assert (await alice.until_closed()).code == 4000
    assert not hub.running


@pytest.mark.socket
async def test_a_crowd_that_connects_at_once_is_let_in() -> None:
    """The server has no turn meanwhile, so the system holds them; one too many would wait 1 s."""
    async with AsyncExitStack() as crowd:
        _, port = await crowd.enter_async_context(listen(Hub(), "127.0.0.1", 0))
        for _ in range(120):  # asyncio asks the system for 100, some systems allow 128
            waiting = socket.create_connection(("127.0.0.1", port), timeout=0.9)
            crowd.enter_context(waiting)
        alice = await crowd.enter_async_context(WebsocketClient.connect(f"ws://127.0.0.1:{port}"))
        await hello(alice, "alice")


@pytest.mark.socket
async def test_a_port_in_use_is_an_os_error_and_leaves_the_hub_alone() -> None:
    hub, taken = Hub(), socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(OSError, match="in use"):
        await serve(hub, "127.0.0.1", taken.getsockname()[1])
    async with hub:
        assert hub.running


@pytest.mark.socket
async def test_a_hub_that_runs_already_is_refused() -> None:
    async with Hub() as hub:
        with pytest.RaisesGroup(HubNotRunning, allow_unwrapped=True):
            await serve(hub, "127.0.0.1", 0)
        assert hub.running


@pytest.mark.socket
async def test_half_a_handshake_is_closed_in_time() -> None:
    hub = Hub(limits=Limits(handshake_ms=50))
    async with (
        listen(hub, "127.0.0.1", 0) as (host, port),
        await anyio.connect_tcp(host, port) as stream,
    ):
        await stream.send(b"GET / HTTP/1.1\r\nHost: ")
        with anyio.fail_after(5), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await stream.receive()


@pytest.mark.socket
async def test_half_a_handshake_does_not_delay_leaving() -> None:
    hub = Hub(limits=Limits(close_ms=50))
    with anyio.fail_after(5):
        async with listen(hub, "127.0.0.1", 0) as (host, port):
            stream = await anyio.connect_tcp(host, port)
            await stream.send(b"GET / HTTP/1.1\r\nHost: ")
    await stream.aclose()


def test_without_the_library_the_extra_is_named() -> None:
    script = "import sys; sys.modules['websockets'] = None; import roomkit_websockets"
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, check=False, text=True)
    assert "ImportError: roomkit_websockets needs the websockets library" in result.stderr
    assert "pip install 'roomkit-chat[websockets]'" in result.stderr
