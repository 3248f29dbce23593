"""Who may connect, how connections end, and that nothing of them is left behind."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anyio
import pytest

from roomkit import Handshake, Hub, Limits, Transport, TransportClosed, User
from roomkit.ids import UserId
from roomkit.testing.transport_suite.harness import (
    Chat,
    Harness,
    eventually,
    fields,
    hello,
    join,
    join_seed,
)
from roomkit.testing.websocket_client import (
    PATIENCE_S,
    SocketClosed,
    SocketRefused,
    WebsocketClient,
)

__all__ = ["Endings"]

_CYCLES = 200


class _Aborting(Hub):
    """Gives every connection up after its first frame, and notes what can still be done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.then: list[str] = []

    async def serve(self, transport: Transport) -> None:
        await transport.receive()
        transport.abort()
        try:
            await transport.receive()
        except TransportClosed:
            self.then.append("nothing to receive")
        try:
            await transport.send([b"{}"])
        except TransportClosed:
            self.then.append("nothing can be sent")
        await transport.close(4000, "too late")
        transport.abort()
        self.then.append("closing is harmless")


class Endings(Harness):
    """The door and the close codes."""

    async def test_pages_of_other_origins_are_not_accepted(self) -> None:
        async with self.chat(origins=["https://friend.example"]) as chat:
            authority = chat.url.split("/")[2]
            for foreign in ("https://evil.example", f"http://{authority}1", "null", ""):
                with pytest.raises(SocketRefused) as refused:
                    async with chat.connect({"Origin": foreign}):
                        pass
                assert refused.value.status == 403
            for welcome in (f"http://{authority}", "https://friend.example"):
                async with chat.connect({"Origin": welcome}) as alice:
                    await hello(alice, "alice")
            await eventually(chat, connections=0)

    async def test_the_host_sees_the_request_and_the_token(self) -> None:
        seen: list[Handshake] = []

        async def who(handshake: Handshake) -> User | None:
            seen.append(handshake)
            return User(UserId("u1"), "alice") if handshake.token == "let me in" else None

        async with self.chat(authenticate=who) as chat:
            chat.url += "?page=7"
            async with chat.connect({"Cookie": "a=b", "X-Twice": "one"}) as alice:
                welcome = await hello(alice, "mallory", token="let me in")
                assert welcome["user"] == {"user_id": "u1", "username": "alice"}
                assert "guest_token" not in welcome
        (handshake,) = seen
        assert (handshake.headers["cookie"], handshake.headers["x-twice"]) == ("a=b", "one")
        assert (handshake.query, handshake.client) == ("page=7", "127.0.0.1")
        assert handshake.path == "/" + chat.url.split("/", 3)[3].partition("?")[0]
        assert handshake.host is not None

    async def test_whom_the_host_does_not_know_is_sent_away(self) -> None:
        async with self.chat(authenticate=lambda handshake: None) as chat:
            async with chat.connect() as stranger:
                await stranger.send("hello", protocol=2, token="guess")
                await stranger.expect("error", code="unauthenticated")
                assert (await stranger.until_closed()).code == 4501
            async with chat.connect() as stranger:
                await stranger.send("join_room", room="lobby", username="alice")
                await stranger.expect("error", code="unauthenticated")
                assert (await stranger.until_closed()).code == 4501

    async def test_another_protocol_is_refused_for_good(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await alice.send("hello", protocol=3)
            await alice.expect("error", code="bad_argument")
            assert (await alice.until_closed()).code == 4500

    async def test_a_user_has_so_many_connections_and_no_more(self) -> None:
        async with self.chat(Limits(connections_per_user=1)) as chat, chat.connect() as first:
            token = (await hello(first, "alice"))["guest_token"]
            async with chat.connect() as second:
                await second.send("hello", protocol=2, token=token)
                assert (await second.until_closed()).code == 4504

    async def test_a_client_that_hears_nothing_is_given_up(self) -> None:
        limits = Limits(heartbeat_ms=50, pong_ms=50)
        async with self.chat(limits) as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await alice.expect("ping")
            await alice.send("pong", t=0)
            await alice.expect("ping")
            assert (await alice.until_closed()).code == 4002

    async def test_a_connection_that_says_nothing_is_closed(self) -> None:
        async with self.chat(Limits(silent_ms=50)) as chat, chat.connect() as alice:
            assert (await alice.until_closed()).code == 4000

    async def test_leaving_the_hub_sends_everybody_away_with_advice(self) -> None:
        ends: dict[str, list[str]] = {}

        async def listen(client: WebsocketClient, name: str) -> None:
            types: list[str] = []
            try:
                while True:
                    types.append((await client.receive()).type)
            except SocketClosed as closed:
                ends[name] = [*types, str(closed.code)]

        hub, stack = Hub(), AsyncExitStack()
        async with stack as clients, anyio.create_task_group() as tasks, self.serve(hub) as url:
            chat = Chat(hub, url)
            alice = await clients.enter_async_context(chat.connect())
            bob = await clients.enter_async_context(chat.connect())
            await hello(alice, "alice")
            await join(alice, "lobby")
            await join_seed(bob, "garden", "bob")
            tasks.start_soon(listen, alice, "alice")
            tasks.start_soon(listen, bob, "bob")
        assert ends == {"alice": ["reconnect", "4000"], "bob": ["4000"]}
        assert (hub.stats.connections, hub.stats.closes) == (0, {4000: 2})

    async def test_aborting_drops_the_connection_at_once(self) -> None:
        hub = _Aborting()
        async with self.serve(hub) as url, Chat(hub, url).connect() as alice:
            await alice.send("ping")
            assert (await alice.until_closed()).code == 1006
            with anyio.fail_after(PATIENCE_S):
                while len(hub.then) < 3:  # noqa: ASYNC110 - bounded
                    await anyio.sleep(0.01)
        assert hub.then == ["nothing to receive", "nothing can be sent", "closing is harmless"]

    async def test_a_client_that_never_reads_is_cut_off_alone_and_comes_back(self) -> None:
        limits = Limits(close_ms=300)
        async with self.chat(limits) as chat, chat.connect() as deaf, chat.connect() as alice:
            welcome = await hello(deaf, "deaf")
            joined = await join(deaf, "lobby")
            await hello(alice, "alice")
            await join(alice, "lobby")
            posted = 0
            while chat.hub.stats.closes.get(4001, 0) == 0:
                await chat.hub.post("lobby", "✿" * 4_000)
                await alice.until("new_message")
                posted += 1
                assert posted < 5_000, "16 MB ought to be enough to fill every buffer"
            await eventually(chat, connections=1, waiting_bytes=0)
            async with chat.connect() as back:
                secrets = {"session": welcome["session"], "token": welcome["guest_token"]}
                assert (await hello(back, "deaf", **secrets))["resumed"] is True
                since = {"seq": joined["seq"], "link": joined["link"]}
                again = await join(back, "lobby", since=since)
                assert again["recovered"] is False, "more was missed than is ever replayed"
                assert fields(again["gap"])["reason"] == "replay_limit"
                await chat.hub.post("lobby", "on we go")
                for client in (alice, back):
                    assert (await client.until("new_message"))["message"] == "on we go"

    async def test_many_who_come_and_drop_leave_nothing_behind(self) -> None:
        async with self.chat() as chat:
            for number in range(_CYCLES):
                async with chat.connect() as guest:
                    await join_seed(guest, "lobby", f"guest {number}")
                    if number % 2:
                        await guest.close()
            await eventually(chat, connections=0, rooms=0, waiting_bytes=0)
            assert chat.hub.stats.closes == {}
            with anyio.fail_after(PATIENCE_S):  # the last departure may still be on its way
                listed = await chat.hub.users("lobby")
                while listed.total:
                    await anyio.sleep(0.01)
                    listed = await chat.hub.users("lobby")
