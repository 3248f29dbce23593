"""The Starlette adapter under uvicorn: the transport suite, the HTTP routes, and letting go."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.resources import files

import anyio
import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.types import ASGIApp

from roomkit import Action, Handshake, Hub, Limits, User
from roomkit.ids import UserId
from roomkit.testing.transport_suite import TransportSuite
from roomkit.testing.transport_suite.harness import Chat, hello, join
from roomkit.testing.transport_suite.protocol1 import Protocol1
from roomkit_starlette import chat_endpoint, chat_routes
from roomkit_starlette.server_socket import ServerSocket, socket_behind
from tests.adapters.uvicorn_server import serving


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """uvicorn knows asyncio alone."""
    return "asyncio"


def starlette_app(hub: Hub) -> Starlette:
    route = WebSocketRoute("/ws", chat_endpoint(hub))
    return Starlette(routes=[route, *chat_routes(hub)], lifespan=hub.lifespan)


@pytest.mark.socket
class TestStarlette(TransportSuite):
    @asynccontextmanager
    async def serve(self, hub: Hub) -> AsyncGenerator[str]:
        async with serving(starlette_app(hub), hub.limits) as (_, port):
            yield f"ws://127.0.0.1:{port}/ws"


@pytest.mark.socket
class TestFastAPI(Protocol1):
    @asynccontextmanager
    async def serve(self, hub: Hub) -> AsyncGenerator[str]:
        app = FastAPI(lifespan=hub.lifespan)
        app.add_api_websocket_route("/chat/{tenant}", chat_endpoint(hub))
        async with serving(app, hub.limits) as (_, port):
            yield f"ws://127.0.0.1:{port}/chat/acme"


# Letting go of a peer that never reads


@pytest.mark.socket
async def test_the_socket_of_a_client_that_never_reads_is_given_up() -> None:
    hub = Hub(limits=Limits(close_ms=300))
    async with serving(starlette_app(hub), hub.limits) as (server, port):
        chat = Chat(hub, f"ws://127.0.0.1:{port}/ws")
        async with chat.connect() as deaf:
            await hello(deaf, "deaf")
            await join(deaf, "lobby")
            while hub.stats.closes.get(4001, 0) == 0:
                await hub.post("lobby", "✿" * 4_000)
            with anyio.fail_after(5):
                while server.server_state.connections:  # noqa: ASYNC110 - uvicorn tells nobody
                    await anyio.sleep(0.01)
            assert (hub.stats.connections, hub.stats.waiting_bytes) == (0, 0)


class Owner:
    """Like the protocol of an ASGI server: its `send` is handed out, its `transport` is not."""

    def __init__(self) -> None:
        self.transport = Wire()

    async def send(self, message: object) -> None: ...


class Wire:
    def abort(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


def test_the_socket_is_found_behind_middleware() -> None:
    owner = Owner()

    async def wrapping(message: object) -> None:
        await owner_send(message)

    owner_send = owner.send
    wire: ServerSocket = owner.transport
    assert socket_behind(owner.send) is wire
    assert socket_behind(wrapping) is wire
    assert socket_behind(functools.partial(wrapping, "x")) is wire
    assert socket_behind(functools.partial(max, send=wrapping)) is wire


def test_no_socket_is_made_up_where_there_is_none() -> None:
    async def send(message: object) -> None: ...

    assert socket_behind(send) is None
    assert socket_behind(None) is None


# HTTP


def nobody_but_alice(handshake: Handshake) -> User | None:
    assert handshake.host is not None
    return User(UserId("u-alice"), "alice") if handshake.token == "hers" else None


def no_cellar(user: User, room: str, action: Action) -> bool:
    return room != "cellar" and (room != "diary" or action is not Action.HISTORY)


@asynccontextmanager
async def asking(app: ASGIApp, **headers: str) -> AsyncGenerator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://chat", headers=headers
    ) as client:
        yield client


async def answer(client: httpx2.AsyncClient, url: str) -> tuple[int, object]:
    response = await client.get(url)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, response.json()


async def test_health_counts_and_says_when_the_hub_is_not_running() -> None:
    hub = Hub()
    async with asking(starlette_app(hub)) as client:
        assert await answer(client, "/health") == (503, {"status": "stopping"})
        async with hub:
            assert await answer(client, "/health") == (
                200,
                {"status": "ok", "connections": 0, "rooms": 0, "durability": "memory"},
            )


async def test_rooms_are_listed_page_by_page() -> None:
    async with Hub() as hub, asking(starlette_app(hub)) as client:
        for room in ("lobby", "attic/2 ✿", "garden"):
            await hub.post(room, "hi")
        assert await answer(client, "/rooms?limit=2") == (
            200,
            {"rooms": [{"name": "attic/2 ✿"}, {"name": "garden"}], "next": "garden"},
        )
        assert await answer(client, "/rooms?limit=2&after=garden") == (
            200,
            {"rooms": [{"name": "lobby"}], "next": None},
        )


async def test_history_is_what_the_websocket_says() -> None:
    async with Hub() as hub, asking(starlette_app(hub)) as client:
        posts = [await hub.post("attic/2 ✿", f"message {number}") for number in range(3)]
        status, data = await answer(client, "/rooms/attic%2F2 ✿/history?before=3&limit=1")
        assert status == 200
        assert isinstance(data, dict)
        (message,) = data.pop("messages")
        assert data == {
            "room": "attic/2 ✿",
            "first_seq": 2,
            "last_seq": 2,
            "has_before": True,
            "has_after": True,
            "complete": True,
        }
        assert (message["id"], message["message"]) == (posts[1].id, "message 1")


@pytest.mark.parametrize(
    ("url", "code", "complaint"),
    [
        ("/rooms?limit=0", "bad_argument", "limit must be from 1 to 200, not 0"),
        ("/rooms?limit=201", "bad_argument", "limit must be from 1 to 200, not 201"),
        ("/rooms?limit=all", "bad_argument", "limit must be a whole number, not 'all'"),
        (
            "/rooms/lobby/history?before=-1",
            "bad_argument",
            "before must be a whole number, not '-1'",
        ),
        (
            "/rooms/lobby/history?around=1&before=" + "9" * 20,
            "bad_argument",
            f"before must be a whole number, not '{'9' * 20}'",
        ),
    ],
)
async def test_a_wrong_question_is_explained(url: str, code: str, complaint: str) -> None:
    async with Hub() as hub, asking(starlette_app(hub)) as client:
        assert await answer(client, url) == (400, {"error": {"code": code, "message": complaint}})


@pytest.mark.parametrize(
    "url", ["/rooms/a%00b/history", "/rooms/lobby/history?before=5&after=1", "/rooms/%20/history"]
)
async def test_what_the_room_refuses_is_refused_here(url: str) -> None:
    async with Hub() as hub, asking(starlette_app(hub)) as client:
        status, data = await answer(client, url)
        assert isinstance(data, dict)
        assert (status, data["error"]["code"]) == (400, "bad_argument")


async def test_whoever_asks_must_be_known() -> None:
    hub = Hub(authenticate=nobody_but_alice)
    async with hub, asking(starlette_app(hub)) as client:
        for headers in ({}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic hers"}):
            response = await client.get("/rooms", headers=headers)
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["error"]["code"] == "unauthenticated"
        response = await client.get("/rooms", headers={"Authorization": "bearer hers"})
        assert (response.status_code, response.json()) == (200, {"rooms": [], "next": None})
        assert (await client.get("/health")).status_code == 200


async def test_the_javascript_client_is_served_with_everything_it_imports() -> None:
    folder = "/chat/roomkit/client"
    app = Starlette(routes=[Mount("/chat", routes=chat_routes(Hub()))])
    waiting, seen = ["roomkit.js"], dict[str, str]()
    async with asking(app) as client:
        while waiting:
            name = waiting.pop()
            response = await client.get(f"{folder}/{name}")
            assert response.status_code == 200, name
            assert response.headers["content-type"] == "text/javascript; charset=utf-8"
            assert response.headers["access-control-allow-origin"] == "*"
            seen[name] = response.text
            imported = re.findall(r'from "\./([\w.]+)";', response.text)
            waiting += [other for other in imported if other not in seen]
    shipped = files("roomkit").joinpath("client", "javascript").iterdir()
    assert sorted(seen) == sorted(item.name for item in shipped if item.name.endswith(".js"))


async def test_a_module_that_has_not_changed_is_not_sent_again() -> None:
    url = "/roomkit/client/roomkit.js"
    async with asking(starlette_app(Hub())) as client:
        first = await client.get(url)
        assert first.headers["cache-control"] == "no-cache"
        again = await client.get(
            url, headers={"If-None-Match": f'W/"old", {first.headers["etag"]}'}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        other = await client.get(url, headers={"If-None-Match": '"old"'})
        assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize("name", ["package.json", "README.md", "..%2F__init__.py", "nothing.js"])
async def test_only_modules_of_the_client_are_served(name: str) -> None:
    async with asking(starlette_app(Hub())) as client:
        assert (await client.get(f"/roomkit/client/{name}")).status_code == 404


async def test_the_policy_hides_what_may_not_be_joined_or_read() -> None:
    hub = Hub(policy=no_cellar)
    async with hub, asking(starlette_app(hub)) as client:
        for room in ("cellar", "diary", "lobby"):
            await hub.post(room, "hi")
        assert await answer(client, "/rooms") == (
            200,
            {"rooms": [{"name": "diary"}, {"name": "lobby"}], "next": None},
        )
        for room, action in {"cellar": "join", "diary": "history"}.items():
            assert await answer(client, f"/rooms/{room}/history") == (
                403,
                {"error": {"code": "forbidden", "message": f"you may not {action} in this room"}},
            )


async def test_a_hook_that_hangs_is_an_answer_too() -> None:
    async def hang(handshake: Handshake) -> User | None:
        await anyio.sleep_forever()
        return None

    hub = Hub(authenticate=hang, limits=Limits(handshake_ms=20))
    async with hub, asking(starlette_app(hub)) as client:
        status, data = await answer(client, "/rooms")
        assert isinstance(data, dict)
        assert (status, data["error"]["code"]) == (503, "hook_timeout")


async def test_a_hub_that_is_not_running_is_unavailable() -> None:
    async with asking(starlette_app(Hub())) as client:
        status, data = await answer(client, "/rooms")
        assert isinstance(data, dict)
        assert (status, data["error"]["code"]) == (503, "unavailable")


async def test_the_routes_may_be_mounted_anywhere() -> None:
    async with Hub() as hub:
        app = Starlette(routes=[Mount("/chat", routes=chat_routes(hub))])
        async with asking(app) as client:
            assert (await answer(client, "/chat/rooms"))[0] == 200


def test_fastapi_takes_the_endpoint_in_its_decorator() -> None:
    app = FastAPI()
    endpoint = app.websocket("/ws")(chat_endpoint(Hub()))
    assert [route.path for route in app.routes if route.path == "/ws"] == ["/ws"]  # type: ignore[attr-defined]  # BaseRoute does not say so
    assert endpoint.__annotations__["websocket"] in (WebSocket, "WebSocket")


def test_without_starlette_the_extra_is_named() -> None:
    script = "import sys; sys.modules['starlette'] = None; import roomkit_starlette"
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, check=False, text=True)
    assert "ImportError: roomkit_starlette needs Starlette" in result.stderr
    assert "pip install 'roomkit-chat[starlette]'" in result.stderr
