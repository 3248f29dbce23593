"""The Starlette adapter under every ASGI server people use: by the fast way where it is offered."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from subprocess import DEVNULL

import anyio
import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import PerMessageDeflate

from roomkit import Hub
from roomkit.testing.transport_suite import TransportSuite
from roomkit.testing.transport_suite.harness import hello, join
from roomkit.testing.websocket_client import WebsocketClient
from roomkit_websockets import listen
from tests.adapters.test_starlette import starlette_app
from tests.adapters.uvicorn_server import serving

APP = "tests.adapters.served_app:app"
SERVERS: dict[str, Sequence[str]] = {
    "uvicorn with our protocol": (
        "uvicorn", APP, "--ws", "roomkit_starlette.uvicorn:PreparedProtocol",
        "--ws-per-message-deflate", "false", "--port",
    ),
    "uvicorn with our protocol, on uvloop": (
        "uvicorn", APP, "--ws", "roomkit_starlette.uvicorn:PreparedProtocol", "--loop", "uvloop",
        "--ws-per-message-deflate", "false", "--port",
    ),
    "uvicorn as it is": ("uvicorn", APP, "--port"),
    "uvicorn on wsproto": ("uvicorn", APP, "--ws", "wsproto", "--port"),
    "hypercorn": ("hypercorn", APP, "--bind"),
    "granian": ("granian", APP, "--interface", "asgi", "--port"),
    "daphne": ("daphne", APP, "--port"),
}  # fmt: skip
OFFERING = {"uvicorn with our protocol", "uvicorn with our protocol, on uvloop"}
MESSAGES = 200
LONG = "é" * 2_000


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """These servers know asyncio alone, or are processes of their own."""
    return "asyncio"


@pytest.mark.socket
class TestPlainUvicorn(TransportSuite):
    """Everything once more without the extension."""

    @asynccontextmanager
    async def serve(self, hub: Hub) -> AsyncGenerator[str]:
        async with serving(starlette_app(hub), hub.limits, ws="websockets-sansio") as (_, port):
            yield f"ws://127.0.0.1:{port}/ws"


@asynccontextmanager
async def started(command: Sequence[str]) -> AsyncGenerator[str]:
    """Run a server; yields its host and port once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = f"127.0.0.1:{port}" if command[-1] == "--bind" else str(port)
    process = await anyio.open_process(
        [sys.executable, "-m", *command, place], stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        async with httpx2.AsyncClient() as client:
            with anyio.fail_after(20):
                while True:
                    try:
                        await client.get(f"http://127.0.0.1:{port}/offered")
                        break
                    except httpx2.TransportError:
                        await anyio.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        with anyio.fail_after(20, shield=True):
            await process.wait()


@pytest.mark.socket
@pytest.mark.parametrize("name", SERVERS)
async def test_a_chat_under_every_server(name: str) -> None:
    async with started(SERVERS[name]) as place:
        url = f"ws://{place}/ws"
        async with WebsocketClient.connect(url) as alice, WebsocketClient.connect(url) as bob:
            await hello(alice, "alice")
            await join(alice, "general")
            await hello(bob, "bob")
            await join(bob, "general")
            await alice.expect("roster_changed")
            for number in range(MESSAGES):
                await bob.send("send_message", room="general", message=f"{number} {LONG}")
            for client in (alice, bob):
                for number in range(MESSAGES):
                    assert (await client.expect("new_message"))["message"] == f"{number} {LONG}"
            await bob.send("leave_room", room="general")
            await bob.expect("room_left")
            await alice.expect("roster_changed", joined=[])
        async with httpx2.AsyncClient() as web:
            offered = (await web.get(f"http://{place}/offered")).json()
        assert offered == [name in OFFERING] * 2


@pytest.mark.socket
async def test_a_compressed_connection_takes_the_plain_way_under_uvicorn() -> None:
    hub = Hub()
    async with serving(starlette_app(hub), hub.limits, ws_per_message_deflate=True) as (_, port):
        await talk_compressed(f"ws://127.0.0.1:{port}/ws")


@pytest.mark.socket
async def test_a_websockets_server_compresses_if_it_is_told_to() -> None:
    async with listen(Hub(), "127.0.0.1", 0, deflate=True) as (host, port):
        await talk_compressed(f"ws://{host}:{port}")


async def talk_compressed(url: str) -> None:
    """Have a client that asks for compression, and one that does not, talk."""
    async with connect(url) as alice, WebsocketClient.connect(url) as bob:
        assert [type(one) for one in alice.protocol.extensions] == [PerMessageDeflate]
        await alice.send('{"type":"hello","data":{"protocol":2,"username":"alice"}}')
        await alice.send('{"type":"join_room","data":{"room":"general"}}')
        await hello(bob, "bob")
        await join(bob, "general")
        await bob.send("send_message", room="general", message=LONG)
        await bob.until("new_message")
        frames = [json.loads(await alice.recv()) for _ in range(4)]
        assert [frame["type"] for frame in frames] == [
            "welcome", "room_joined", "roster_changed", "new_message"
        ]  # fmt: skip
        assert frames[-1]["data"]["message"] == LONG
