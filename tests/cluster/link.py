"""What stands between nodes and their server: a proxy that holds, slows, deafens or cuts.

Whatever is held is passed on later, as networks do it; only a link that is cut loses bytes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketAttribute, SocketStream

__all__ = ["Link", "linking"]

_CHUNK = 65_536
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


class _Wire:
    """One connection through the link."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.listens = False
        self.stuck = False


class Link:
    """Passes connections on to a port of this machine. Made by `linking`.

    Attributes:
        port: where it listens on 127.0.0.1.
        delay_s: how long each piece waits, either way.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.delay_s = 0.0
        self._target = target
        self._open = {"up": anyio.Event(), "down": anyio.Event()}
        self.release()
        self._wires: set[_Wire] = set()
        self._shut = False

    def hold(self, *ways: str) -> None:
        """Pass nothing on: "up" is what nodes send, "down" what they are sent."""
        for way in ways:
            self._open[way] = anyio.Event()

    def release(self) -> None:
        """Pass everything on."""
        for event in self._open.values():
            event.set()

    def deafen(self) -> int:
        """Have connections that listen hear nothing more, though they stay; return how many."""
        listening = [wire for wire in self._wires if wire.listens]
        for wire in listening:
            wire.stuck = True
        return len(listening)

    def cut(self) -> None:
        """Reset every connection, and take no new one."""
        self._shut = True
        for wire in self._wires:
            wire.scope.cancel()

    def mend(self) -> None:
        """Take connections again."""
        self._shut = False

    async def serve(self, node: SocketStream) -> None:
        """Pass one connection on until it ends; the listener's own handler."""
        wire = _Wire()
        async with node:
            if self._shut:
                return
            self._wires.add(wire)
            try:
                with wire.scope:
                    server = await anyio.connect_tcp("127.0.0.1", self._target)
                    async with server, anyio.create_task_group() as tasks:
                        tasks.start_soon(self._pass_on, wire, node, server, "up")
                        tasks.start_soon(self._pass_on, wire, server, node, "down")
            except OSError:
                pass
            finally:
                self._wires.discard(wire)

    async def _pass_on(
        self, wire: _Wire, source: SocketStream, sink: SocketStream, way: str
    ) -> None:
        try:
            while True:
                data = await source.receive(_CHUNK)
                if way == "up" and b"SUBSCRIBE" in data:
                    wire.listens = True
                await self._open[way].wait()
                if wire.stuck and way == "down":
                    continue
                if self.delay_s:
                    await anyio.sleep(self.delay_s)
                await sink.send(data)
        except _GONE:
            wire.scope.cancel()


@asynccontextmanager
async def linking(target: int) -> AsyncGenerator[Link]:
    """Run a link on a free port of 127.0.0.1."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
        link = Link(listener.extra(SocketAttribute.local_port), target)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, link.serve)
            yield link
            tasks.cancel_scope.cancel()
