"""Four nodes in processes of their own, a door that leads to any of them, and what they keep."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import anyio.to_thread
from anyio.abc import SocketAttribute, SocketStream

from tests.cluster.link import Link, linking
from tests.network.walls import HERE, Place, Walls
from tests.stores.redis.deployments import Alone, Deployment, deployed
from tests.stores.redis.servers import free_port

__all__ = ["NODES", "Site", "lasting", "site"]

NODES = 4
_CHUNK = 65_536
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


class Node:
    """A process, and where it listens; it may be started again."""

    def __init__(self, url: str, durability: str, place: Place, spoil: bool) -> None:
        self.place = place
        self.port = free_port()
        spoilt = ["spoilt"] if spoil else []
        self._command = [
            *place.command, sys.executable, "-m", "tests.cluster.node", url, durability,
            place.host, str(self.port), *spoilt,
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            ChildProcessError: it ended instead.
        """
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise ChildProcessError(f"{self._command} ended")

    def send(self, kind: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(kind)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


class Site:
    """Everything a fault may befall.

    Attributes:
        url: a websocket that leads to any node that lives.
        nodes: four.
        kept: where they keep rooms.
        link: between them and that, where there is one server here; else None.
        walls: where each is in a network of its own; else None.
        chance: decides what is left to it.
    """

    def __init__(
        self,
        door: int,
        nodes: list[Node],
        kept: Deployment,
        link: Link | None,
        walls: Walls | None,
        seed: int,
    ) -> None:
        self.url = f"ws://127.0.0.1:{door}/"
        self.nodes = nodes
        self.kept = kept
        self.link = link
        self.walls = walls
        self.chance = random.Random(seed)

    async def serve(self, client: SocketStream) -> None:
        """Lead a connection to a node, as a load balancer does."""
        async with client:
            for node in self.chance.sample(self.nodes, len(self.nodes)):
                try:
                    server = await anyio.connect_tcp(node.place.host, node.port)
                except OSError:
                    continue
                async with server, anyio.create_task_group() as tasks:
                    tasks.start_soon(_pass_on, client, server, tasks.cancel_scope)
                    tasks.start_soon(_pass_on, server, client, tasks.cancel_scope)
                return


async def lasting(seconds: float) -> None:
    """Let what is done to them last so long; nothing is waited for."""
    with anyio.move_on_after(seconds):
        await anyio.sleep_forever()


async def _pass_on(source: SocketStream, sink: SocketStream, scope: anyio.CancelScope) -> None:
    try:
        while True:
            await sink.send(await source.receive(_CHUNK))
    except _GONE:
        scope.cancel()


@asynccontextmanager
async def site(
    name: str, durability: str, seed: int, spoil: bool, walls: Walls | None
) -> AsyncGenerator[Site]:
    """Run one on one of `DEPLOYMENTS`, everything behind walls of its own if there are any.

    Spoilt nodes acknowledge what they do not store.
    """
    place = walls.place if walls is not None else lambda: HERE
    async with AsyncExitStack() as stack:
        kept = stack.enter_context(deployed(name, place))
        url, link = kept.url, None
        if walls is None and isinstance(kept, Alone):
            link = await stack.enter_async_context(linking(kept.server.port))
            url = f"redis://127.0.0.1:{link.port}"
        nodes = [Node(url, durability, place(), spoil) for _ in range(NODES)]
        stack.callback(_end, nodes)
        async with anyio.create_task_group() as starting:
            for node in nodes:
                starting.start_soon(anyio.to_thread.run_sync, node.start)
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        await stack.enter_async_context(listener)
        door = listener.extra(SocketAttribute.local_port)
        running = Site(door, nodes, kept, link, walls, seed)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, running.serve)
            yield running
            tasks.cancel_scope.cancel()


def _end(nodes: list[Node]) -> None:
    for node in nodes:
        if node.process is not None:
            node.send(signal.SIGCONT)
        node.kill()
