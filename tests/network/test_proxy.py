"""The proxy itself: it cuts, stalls and closes exactly where it was told to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from tests.network.proxy import Act, Plan, proxying, trouble

PATIENCE_S = 5.0


@asynccontextmanager
async def listening(handler: Callable[[SocketStream], object]) -> AsyncGenerator[int]:
    """Serve a handler on a free port."""
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, handler)
        port: int = listener.extra(SocketAttribute.local_port)
        yield port
        tasks.cancel_scope.cancel()


async def read_out(stream: SocketStream) -> tuple[bytes, str]:
    """Return everything received, and how it ended."""
    received = b""
    with anyio.fail_after(PATIENCE_S):
        while True:
            try:
                received += await stream.receive()
            except anyio.EndOfStream:
                return received, "finish"
            except anyio.BrokenResourceError:
                return received, "reset"


class Server:
    """Says `greeting` and keeps what it hears.

    Attributes:
        ended: set when the connection is over for it.
    """

    def __init__(self, greeting: bytes = b"") -> None:
        self.greeting = greeting
        self.heard = b""
        self.how = ""
        self.ended = anyio.Event()

    async def handle(self, stream: SocketStream) -> None:
        async with stream:
            await stream.send(self.greeting)
            self.heard, self.how = await read_out(stream)
            self.ended.set()


@asynccontextmanager
async def through(server: Server, plan: Plan) -> AsyncGenerator[SocketStream]:
    """Connect to a server through a proxy with one plan."""
    async with (
        listening(server.handle) as port,
        proxying(port, lambda number: plan) as proxy,
        await anyio.connect_tcp("127.0.0.1", proxy.port) as client,
    ):
        yield client


@pytest.mark.socket
@pytest.mark.parametrize("deed", ["reset", "finish"])
@pytest.mark.parametrize("after", [0, 1, 4_096])
async def test_what_the_client_sends_is_cut_after_exactly_so_many_bytes(
    deed: str, after: int
) -> None:
    server = Server()
    plan = Plan([Act("up", after, deed)])  # type: ignore[arg-type]  # parametrize gives plain str
    async with through(server, plan) as client:
        await client.send(bytes(5_000))
        _, how = await read_out(client)
        with anyio.fail_after(PATIENCE_S):
            await server.ended.wait()
    assert (len(server.heard), server.how, how) == (after, deed, deed)


@pytest.mark.socket
@pytest.mark.parametrize("deed", ["reset", "finish"])
async def test_what_the_server_sends_is_cut_after_exactly_so_many_bytes(deed: str) -> None:
    server = Server(b"x" * 5_000)
    plan = Plan([Act("down", 4_999, deed)])  # type: ignore[arg-type]  # parametrize gives plain str
    async with through(server, plan) as client:
        assert await read_out(client) == (b"x" * 4_999, deed)


@pytest.mark.socket
async def test_a_half_closed_connection_still_carries_the_other_way() -> None:
    server = Server(b"x" * 100)
    async with through(server, Plan([Act("down", 50, "half_close")])) as client:
        assert await read_out(client) == (b"x" * 50, "finish")
        await client.send(b"still here")
        await client.send_eof()
        with anyio.fail_after(PATIENCE_S):
            await server.ended.wait()
    assert server.heard == b"still here"


@pytest.mark.socket
async def test_a_stalled_way_goes_on_where_it_stopped() -> None:
    server = Server(b"before,after")
    async with through(server, Plan([Act("down", 6, "stall", 0.3)])) as client:
        assert await client.receive() == b"before"
        with anyio.move_on_after(0.1) as waited:
            await client.receive()
        assert waited.cancelled_caught
        with anyio.fail_after(PATIENCE_S):
            assert await client.receive() == b",after"


@pytest.mark.socket
async def test_a_delayed_connection_loses_nothing() -> None:
    server = Server(b"good morning")
    async with through(server, Plan(delay_s=0.01)) as client:
        await client.send(b"good evening")
        await client.send_eof()
        assert await read_out(client) == (b"good morning", "finish")
    assert server.heard == b"good evening"


@pytest.mark.socket
async def test_after_the_trouble_connections_are_left_alone() -> None:
    server = Server(b"hello")
    async with (
        listening(server.handle) as port,
        proxying(port, lambda number: Plan([Act("down", 0, "stall", 60)])) as proxy,
    ):
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as stalled:
            while not proxy.done["stall"]:  # noqa: ASYNC110 - the proxy tells nobody
                await anyio.sleep(0.01)
            proxy.calm()
            assert await read_out(stalled) == (b"", "reset")
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            assert await client.receive() == b"hello"


@pytest.mark.socket
async def test_a_server_that_is_away_resets_the_client() -> None:
    async with listening(Server().handle) as port:
        pass
    async with (
        proxying(port, lambda number: Plan()) as proxy,
        await anyio.connect_tcp("127.0.0.1", proxy.port) as client,
    ):
        assert await read_out(client) == (b"", "reset")


def test_a_seed_names_the_trouble() -> None:
    plans = [trouble(7)(number) for number in range(50)]
    assert plans == [trouble(7)(number) for number in range(50)]
    assert {act.deed for plan in plans for act in plan.acts} == {
        "reset", "finish", "half_close", "stall"
    }  # fmt: skip
    assert any(act.after < 250 for plan in plans for act in plan.acts)
