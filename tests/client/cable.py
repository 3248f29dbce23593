"""A server a test can kill and start again, behind a cable it can cut."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ByteStream, Listener, SocketAttribute, TaskGroup, TaskStatus
from anyio.streams.tls import TLSListener

from roomkit import Hub, Limits, MemoryStore
from roomkit_websockets import listen

__all__ = ["Cable", "served"]


class Cable:
    """Carries bytes between clients and whatever server there is.

    Attributes:
        url: where clients connect; it stays the same.
        hub: of the server there is now.
    """

    def __init__(self, tasks: TaskGroup, limits: Limits) -> None:
        self.url = ""
        self.hub = Hub()
        self._tasks = tasks
        self._limits = limits
        self._store = MemoryStore(limits=limits)
        self._stop = anyio.Event()
        self._stopped = anyio.Event()
        self._target = ("", 0)
        self._connected: set[anyio.CancelScope] = set()
        self._plugged = True

    def cut(self) -> None:
        """Break every connection, without a word to either side."""
        for scope in tuple(self._connected):
            scope.cancel()

    def unplug(self) -> None:
        """Break every connection, and let no new one through."""
        self._plugged = False
        self.cut()

    def plug(self) -> None:
        """Let connections through again."""
        self._plugged = True

    async def start(self) -> None:
        """Start a server on the store."""
        self.hub = Hub(store=self._store.another(), limits=self._limits)
        self._stop, self._stopped = anyio.Event(), anyio.Event()
        await self._tasks.start(self._serve)

    async def stop(self) -> None:
        """Stop the server as an operator does."""
        self._stop.set()
        await self._stopped.wait()

    async def _serve(self, *, task_status: TaskStatus[None]) -> None:
        async with listen(self.hub, "127.0.0.1", 0) as self._target:
            task_status.started()
            await self._stop.wait()
        self._stopped.set()

    async def carry(self, client: ByteStream) -> None:
        """Carry one connection until it breaks."""
        async with client:
            if not self._plugged:
                return
            with anyio.CancelScope() as scope:
                self._connected.add(scope)
                try:
                    async with (
                        await anyio.connect_tcp(*self._target) as server,
                        anyio.create_task_group() as both,
                    ):
                        both.start_soon(_pass, client, server, scope)
                        both.start_soon(_pass, server, client, scope)
                except OSError:
                    pass
            self._connected.discard(scope)


async def _pass(source: ByteStream, sink: ByteStream, both: anyio.CancelScope) -> None:
    try:
        while True:
            await sink.send(await source.receive())
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        both.cancel()


@asynccontextmanager
async def served(
    limits: Limits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Cable]:
    """A running server and the cable to it, whose near end may speak TLS."""
    listener: Listener[ByteStream] = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    if tls is not None:
        listener = TLSListener(listener, tls, standard_compatible=False)
    async with listener, anyio.create_task_group() as tasks:
        cable = Cable(tasks, limits or Limits())
        cable.url = f"{'ws' if tls is None else 'wss'}://localhost:{port}/ws"
        tasks.start_soon(listener.serve, cable.carry)
        await cable.start()
        yield cable
        cable.unplug()
        await cable.stop()
        tasks.cancel_scope.cancel()
