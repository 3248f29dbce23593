"""A TCP proxy that does to a connection what networks do, at the byte it is told to.

It stands between real sockets on this machine. What befalls the nth connection is its `Plan`,
decided before the first byte passes, so a run is repeated by its seed as far as sockets allow.
"""

from __future__ import annotations

import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, assert_never

import anyio
from anyio.abc import SocketAttribute, SocketStream

__all__ = ["Act", "Plan", "Proxy", "proxying", "trouble"]

Deed = Literal["reset", "finish", "half_close", "stall"]
Way = Literal["up", "down"]

_CHUNK = 65_536
_FAREWELL_S = 1.0
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


@dataclass(frozen=True)
class Act:
    """One thing done to a connection.

    Attributes:
        way: "up" counts what the client sends, "down" what the server sends.
        after: done when exactly so many bytes have been passed on that way; a connection that
            carries fewer never sees it.
        deed: "reset" ends both sides with RST and "finish" with FIN; "half_close" tells the
            receiver that no more will come and lets the other way be; "stall" reads nothing for
            `seconds`.
    """

    way: Way
    after: int
    deed: Deed
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What befalls one connection.

    Attributes:
        acts: in any order.
        delay_s: how long each piece waits before it is passed on, either way.
    """

    acts: Sequence[Act] = ()
    delay_s: float = 0.0

    def along(self, way: Way) -> list[Act]:
        return sorted((act for act in self.acts if act.way == way), key=lambda act: act.after)


UNTOUCHED = Plan()


def trouble(seed: int, reach: int = 4_000) -> Callable[[int], Plan]:
    """Return plans in which every connection ends badly, at any byte of its first `reach`.

    One in five of these bytes is within the opening handshake, where a cut leaves no websocket.
    Half of the connections stall before, at any byte too.
    """

    def plan(number: int) -> Plan:
        chance = random.Random(f"{seed}/{number}")
        endings: list[Deed] = ["reset", "finish", "half_close"]
        acts = [_anywhere(chance, chance.choice(endings), reach)]
        if chance.random() < 0.5:
            acts.append(_anywhere(chance, "stall", reach))
        return Plan(acts, delay_s=chance.choice((0.0, 0.0, 0.0, 0.02)))

    return plan


def _anywhere(chance: random.Random, deed: Deed, reach: int) -> Act:
    ways: list[Way] = ["up", "down"]
    within = 250 if chance.random() < 0.2 else reach
    return Act(chance.choice(ways), chance.randrange(within), deed, chance.choice((0.1, 0.3, 1.5)))


class _Ending(Exception):
    """A plan ends the connection here."""

    def __init__(self, deed: Deed) -> None:
        self.deed = deed


class Proxy:
    """Passes connections on to one port of this machine. Made by `proxying`.

    Attributes:
        port: where it listens on 127.0.0.1.
        opened: how many connections there were.
        done: how often each deed was done.
    """

    def __init__(self, port: int, target: int, plan: Callable[[int], Plan]) -> None:
        self.port = port
        self.done: Counter[Deed] = Counter()
        self._target = target
        self._plan = plan
        self.opened = 0
        self._scopes: set[anyio.CancelScope] = set()

    def calm(self) -> None:
        """Cut what is open now, and leave alone what is opened from here on."""
        self.agitate(lambda number: UNTOUCHED)

    def agitate(self, plan: Callable[[int], Plan]) -> None:
        """Cut what is open now, and do this to what is opened from here on."""
        self._plan = plan
        for scope in self._scopes:
            scope.cancel()

    async def serve(self, client: SocketStream) -> None:
        """Pass one connection on until it ends; the proxy's own handler."""
        plan = self._plan(self.opened)
        self.opened += 1
        streams = [client]
        deed: Deed = "reset"
        scope = anyio.CancelScope()
        self._scopes.add(scope)
        try:
            with scope:
                server = await anyio.connect_tcp("127.0.0.1", self._target)
                streams.append(server)
                deed = await self._both_ways(client, server, plan)
        except OSError:
            pass
        finally:
            self._scopes.discard(scope)
            with anyio.CancelScope(shield=True):
                await (_finish if deed == "finish" else _reset)(streams)

    async def _both_ways(self, client: SocketStream, server: SocketStream, plan: Plan) -> Deed:
        endings: list[Deed] = []
        async with anyio.create_task_group() as tasks:

            async def pass_on(source: SocketStream, sink: SocketStream, way: Way) -> None:
                try:
                    await self._pass_on(source, sink, plan, way)
                except _Ending as ending:
                    endings.append(ending.deed)
                    tasks.cancel_scope.cancel()

            tasks.start_soon(pass_on, client, server, "up")
            tasks.start_soon(pass_on, server, client, "down")
        return endings[0] if endings else "finish"

    async def _pass_on(
        self, source: SocketStream, sink: SocketStream, plan: Plan, way: Way
    ) -> None:
        passed = 0
        try:
            for act in plan.along(way):
                while passed < act.after:
                    data = await source.receive(min(_CHUNK, act.after - passed))
                    await _pass(data, sink, plan.delay_s)
                    passed += len(data)
                self.done[act.deed] += 1
                match act.deed:
                    case "reset" | "finish":
                        raise _Ending(act.deed)
                    case "half_close":
                        await sink.send_eof()
                        await _swallow(source)
                        return
                    case "stall":
                        await anyio.sleep(act.seconds)
                    case _:
                        assert_never(act.deed)
            while True:
                await _pass(await source.receive(_CHUNK), sink, plan.delay_s)
        except anyio.EndOfStream:
            try:
                await sink.send_eof()
            except _GONE:
                raise _Ending("reset") from None
        except _GONE:
            raise _Ending("reset") from None


async def _pass(data: bytes, sink: SocketStream, delay_s: float) -> None:
    if delay_s:
        await anyio.sleep_until(anyio.current_time() + delay_s)
    await sink.send(data)


async def _swallow(source: SocketStream) -> None:
    """Read until there is no more: whoever sends must not notice."""
    while True:
        await source.receive(_CHUNK)


async def _reset(streams: Sequence[SocketStream]) -> None:
    """Close with RST (SO_LINGER of no time), whatever still waits."""
    for stream in streams:
        raw = stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await anyio.aclose_forcefully(stream)


async def _finish(streams: Sequence[SocketStream]) -> None:
    """Close with FIN; a peer is read out first, for bytes left unread would make it an RST."""
    with anyio.move_on_after(_FAREWELL_S):
        async with anyio.create_task_group() as tasks:
            for stream in streams:
                tasks.start_soon(_read_out, stream)
    for stream in streams:
        await anyio.aclose_forcefully(stream)


async def _read_out(stream: SocketStream) -> None:
    try:
        await stream.send_eof()
        await _swallow(stream)
    except _GONE:
        pass


@asynccontextmanager
async def proxying(target: int, plan: Callable[[int], Plan]) -> AsyncGenerator[Proxy]:
    """Run a proxy on a free port of 127.0.0.1.

    Args:
        target: the port passed on to.
        plan: what befalls the nth connection, counted from 0.
    """
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
        port: int = listener.extra(SocketAttribute.local_port)
        proxy = Proxy(port, target, plan)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, proxy.serve)
            yield proxy
            tasks.cancel_scope.cancel()
