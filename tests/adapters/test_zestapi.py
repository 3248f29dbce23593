"""The ZestAPI adapter in a real ZestAPI application under uvicorn, its own middleware included."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from jose import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from zestapi import ORJSONResponse, Settings, ZestAPI

from roomkit import Handshake, Hub, User
from roomkit.ids import UserId
from roomkit.testing.transport_suite import TransportSuite
from roomkit.testing.transport_suite.harness import Chat, hello, join
from roomkit_zestapi import mount_chat, zestapi_users
from tests.adapters.uvicorn_server import serving

SECRET = "a secret of the test's own"
WITH_JWT = Settings(debug=True, jwt_secret=SECRET)
WITHOUT_JWT = Settings(debug=True)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """uvicorn knows asyncio alone."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ZestAPI looks for routes and plug-ins, and may write a log, where it is started."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.socket
class TestZestAPI(TransportSuite):
    @asynccontextmanager
    async def serve(self, hub: Hub) -> AsyncGenerator[str]:
        app = ZestAPI(WITH_JWT)
        mount_chat(app, hub)
        async with serving(app.app, hub.limits) as (_, port):
            yield f"ws://127.0.0.1:{port}/ws"


@asynccontextmanager
async def running(app: ZestAPI) -> AsyncGenerator[httpx2.AsyncClient]:
    """Run an application's lifespan and ask it things, without a socket."""
    starlette = app.app
    async with (
        starlette.router.lifespan_context(starlette),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(starlette), base_url="http://chat"
        ) as client,
    ):
        yield client


async def greet(request: Request) -> ORJSONResponse:
    return ORJSONResponse({"hello": "there"})


async def test_mounting_before_the_application_is_made_keeps_what_is_added_later() -> None:
    app, hub = ZestAPI(WITHOUT_JWT), Hub()
    mount_chat(app, hub, websocket_path="/chat/ws", http_prefix="/chat")
    app.add_route("/greet", greet)
    async with running(app) as client:
        assert hub.running
        assert (await client.get("/greet")).json() == {"hello": "there"}
        assert (await client.get("/chat/health")).json() == {
            "status": "ok",
            "connections": 0,
            "rooms": 0,
            "durability": "memory",
        }
    assert not hub.running


async def test_mounting_on_an_application_already_made_works_too() -> None:
    app, hub = ZestAPI(WITHOUT_JWT), Hub()
    made = app.app
    mount_chat(app, hub)
    assert app.app is made
    async with running(app) as client:
        assert (await client.get("/health")).json()["status"] == "ok"


async def test_an_application_made_anew_has_the_chat() -> None:
    app, hub = ZestAPI(WITHOUT_JWT), Hub()
    mount_chat(app, hub)
    for _ in range(2):
        app.create_app()
        async with running(app) as client:
            assert (await client.get("/health")).json()["status"] == "ok"
    chats = [route for route in app.app.routes if getattr(route, "name", "") == "chat"]
    assert len(chats) == 1


async def test_a_lifespan_there_already_runs_inside_the_hubs() -> None:
    app, hub = ZestAPI(WITHOUT_JWT), Hub()
    seen: list[str] = []

    @asynccontextmanager
    async def own(starlette: Starlette) -> AsyncGenerator[dict[str, str]]:
        seen.append(f"begins, hub runs: {hub.running}")
        await hub.post("lobby", "the doors are open")
        yield {"kept": "state"}
        seen.append(f"ends, hub runs: {hub.running}")

    app.app.router.lifespan_context = own
    mount_chat(app, hub)
    async with app.app.router.lifespan_context(app.app) as state:
        assert state == {"kept": "state"}
    assert seen == ["begins, hub runs: True", "ends, hub runs: True"]
    assert not hub.running


@pytest.mark.socket
async def test_zestapis_rate_limit_holds_http_and_not_the_websocket() -> None:
    hub = Hub()
    app = ZestAPI(WITHOUT_JWT)
    mount_chat(app, hub)
    async with serving(app.app, hub.limits) as (_, port):
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answers = [(await client.get("/health")).status_code for _ in range(101)]
        assert (answers.count(200), answers[-1]) == (100, 429)
        async with Chat(hub, f"ws://127.0.0.1:{port}/ws").connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")


# Users


def token(secret: str = SECRET, **claims: object) -> str:
    return jwt.encode(claims, secret, algorithm="HS256")


def handshake(given: str | None = None, authorization: str | None = None) -> Handshake:
    headers = {} if authorization is None else {"authorization": authorization}
    return Handshake(headers=headers, token=given)


def test_without_a_secret_of_its_own_everybody_is_a_guest() -> None:
    assert zestapi_users(WITHOUT_JWT) is None
    assert zestapi_users(Settings(jwt_secret="")) is None


def test_the_name_is_the_best_the_claims_have() -> None:
    who = zestapi_users(WITH_JWT)
    assert who is not None
    assert [
        who(handshake(token(sub="u1", name="Alice", username="alice"))),
        who(handshake(token(sub="u1", username="alice"))),
        who(handshake(token(sub="u1"))),
        who(handshake(authorization=f"bearer {token(sub='u1')}")),
        who(handshake(token(sub="u1"), f"Bearer {token(sub='u2')}")),
    ] == [
        User(UserId("u1"), "Alice"),
        User(UserId("u1"), "alice"),
        User(UserId("u1"), "u1"),
        User(UserId("u1"), "u1"),
        User(UserId("u1"), "u1"),
    ]


def test_what_zestapi_would_not_accept_is_nobody() -> None:
    who = zestapi_users(WITH_JWT)
    assert who is not None
    expired = token(sub="u1", exp=1)
    unsigned = token(sub="u1").rpartition(".")[0] + "."
    for bad in (
        None,
        "",
        "guess",
        "a.b.c",
        "✿.✿.✿",
        token("another secret", sub="u1"),
        token(),
        token(sub=""),
        token(sub=7),
        expired,
        unsigned,
    ):
        assert who(handshake(bad)) is None
    assert who(handshake(authorization="Basic dTE6cGFzcw==")) is None


@pytest.mark.socket
async def test_zestapis_own_token_lets_in_over_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    from zestapi.core import security

    monkeypatch.setattr(security, "settings", WITH_JWT)
    pass_ = security.create_access_token({"sub": "u-alice", "name": "Alice"}, timedelta(minutes=1))
    hub = Hub(authenticate=zestapi_users(WITH_JWT))
    app = ZestAPI(WITH_JWT)
    mount_chat(app, hub)
    async with serving(app.app, hub.limits) as (_, port):
        chat = Chat(hub, f"ws://127.0.0.1:{port}/ws")
        async with chat.connect() as alice:
            welcome = await hello(alice, "mallory", token=pass_)
            assert welcome["user"] == {"user_id": "u-alice", "username": "Alice"}
        async with chat.connect() as stranger:
            await stranger.send("hello", protocol=2, username="alice")
            assert (await stranger.until_closed()).code == 4501
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/rooms")).status_code == 401
            headers = {"Authorization": f"Bearer {pass_}"}
            assert (await client.get("/rooms", headers=headers)).status_code == 200


def test_without_zestapi_the_extra_is_named() -> None:
    script = "import sys; sys.modules['zestapi'] = None; import roomkit_zestapi"
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, check=False, text=True)
    assert "ImportError: roomkit_zestapi needs ZestAPI" in result.stderr
    assert "pip install 'roomkit-chat[zestapi]'" in result.stderr
