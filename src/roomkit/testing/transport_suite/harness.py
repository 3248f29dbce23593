"""What every part of the transport suite stands on: a hub an adapter serves, and its clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import msgspec
import pytest

from roomkit import Hub, Limits
from roomkit.runtime import Authenticate
from roomkit.testing.websocket_client import PATIENCE_S, WebsocketClient

__all__ = [
    "Chat",
    "Harness",
    "eventually",
    "fields",
    "hello",
    "join",
    "join_seed",
    "listed",
    "names",
]


class Chat:
    """A hub being served.

    Attributes:
        hub: what is served.
        url: where its websocket is.
    """

    def __init__(self, hub: Hub, url: str) -> None:
        self.hub = hub
        self.url = url

    def connect(
        self, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[WebsocketClient]:
        """Open a websocket; leaving drops it without a word if it is still open."""
        return WebsocketClient.connect(self.url, headers=headers)


class Harness:
    """Serves a fresh hub to each test."""

    pytestmark = pytest.mark.anyio

    def serve(self, hub: Hub) -> AbstractAsyncContextManager[str]:
        """Run the hub, serve it on a free port of 127.0.0.1 and yield the websocket's URL.

        Leaving must leave the hub first, while its connections can still be told why they are
        closed, and then stop the server and release everything.
        """
        raise NotImplementedError("say how your adapter serves a hub")

    @asynccontextmanager
    async def chat(
        self,
        limits: Limits | None = None,
        *,
        authenticate: Authenticate | None = None,
        origins: Sequence[str] = (),
    ) -> AsyncGenerator[Chat]:
        hub = Hub(limits=limits or Limits(), authenticate=authenticate, origins=origins)
        async with self.serve(hub) as url:
            yield Chat(hub, url)


async def hello(client: WebsocketClient, username: str, /, **data: object) -> dict[str, object]:
    """Begin protocol 2 and return the data of `welcome`."""
    await client.send("hello", protocol=2, username=username, **data)
    return await client.expect("welcome")


async def join(client: WebsocketClient, room: str, /, **data: object) -> dict[str, object]:
    """Join a room in protocol 2 and return the data of `room_joined`."""
    await client.send("join_room", room=room, ref="join", **data)
    return await client.expect("room_joined", room=room, ref="join")


async def join_seed(client: WebsocketClient, room: str, username: str) -> list[str]:
    """Join a room in protocol 1 and return who is in it, sorted."""
    await client.send("join_room", room=room, username=username)
    assert (await client.until("message_history"))["room"] == room
    return names(await client.expect("room_users", room=room))


def fields(value: object) -> dict[str, object]:
    """Return an object inside a frame."""
    return msgspec.convert(value, dict[str, object])


def listed(value: object) -> list[dict[str, object]]:
    """Return a list of objects inside a frame."""
    return msgspec.convert(value, list[dict[str, object]])


def names(room_users: Mapping[str, object]) -> list[str]:
    """Return who a `room_users` frame lists, sorted."""
    return sorted(msgspec.convert(room_users["users"], list[str]))


async def eventually(chat: Chat, **stats: int) -> None:
    """Wait until the hub's counts are these."""
    found: dict[str, int] = {}
    with anyio.move_on_after(PATIENCE_S):
        while True:
            found = {name: getattr(chat.hub.stats, name) for name in stats}
            if found == stats:
                return
            await anyio.sleep(0.01)
    assert found == stats
