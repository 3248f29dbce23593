"""The faults, a function each: it does something to a site, and returns when that is over."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio.to_thread

from tests.cluster.link import Link
from tests.cluster.site import Site, lasting
from tests.stores.redis.deployments import Alone, Cluster, Watched
from tests.stores.redis.moving import move_slot
from tests.stores.redis.servers import TestServer

__all__ = ["FAULTS", "SHAPES", "WALLED", "Fault"]

Doing = Callable[[Site], Awaitable[None]]
_KEY = "roomkit:{#general}:head"


@dataclass(frozen=True)
class Fault:
    """One kind of trouble.

    Attributes:
        what: in a few words.
        numbers: of the faults of the list that it stands for.
        do: does it.
        on: what it befalls: one of `SHAPES`.
        loses: it takes acknowledged messages with it, by what it is.
        durability: what an acknowledgement means to those it befalls.
        within_s: when everybody must be talking again after it is over.
        often: how often it is in the short campaign.
    """

    what: str
    numbers: str
    do: Doing
    on: str = "alone"
    loses: bool = False
    durability: str = "redis"
    within_s: float = 15.0
    often: int = 0


# Nodes


async def _kill_node(site: Site) -> None:
    node = site.chance.choice(site.nodes)
    node.kill()
    await lasting(site.chance.uniform(0.0, 0.5))
    await anyio.to_thread.run_sync(node.start)


def _pause_node(seconds: float) -> Doing:
    async def do(site: Site) -> None:
        node = site.chance.choice(site.nodes)
        node.send(signal.SIGSTOP)
        await lasting(seconds)
        node.send(signal.SIGCONT)

    return do


async def _stop_node(site: Site) -> None:
    node = site.chance.choice(site.nodes)
    node.send(signal.SIGTERM)
    await lasting(0.5)
    node.kill()
    await anyio.to_thread.run_sync(node.start)


# The server


def _server(site: Site) -> TestServer:
    assert isinstance(site.kept, Alone)
    return site.kept.server


async def _restart(site: Site) -> None:
    _server(site).stop()
    await lasting(site.chance.uniform(0.0, 0.5))
    await anyio.to_thread.run_sync(_server(site).start)


async def _restart_empty(site: Site) -> None:
    """As one that keeps nothing does; what is on its disk is taken away."""
    _server(site).say("CONFIG SET appendonly no")
    _server(site).stop()
    await anyio.to_thread.run_sync(_server(site).start, "--appendonly", "no")


def _pause_server(seconds: float) -> Doing:
    async def do(site: Site) -> None:
        _server(site).pause()
        await lasting(seconds)
        _server(site).go_on()

    return do


def _say(command: str, seconds: float = 0.0, after: str = "") -> Doing:
    async def do(site: Site) -> None:
        answer = _server(site).say(command)
        assert not answer.startswith("-"), answer
        await lasting(seconds)
        if after:
            _server(site).say(after)

    return do


# What is between


def _link(site: Site) -> Link:
    assert site.link is not None
    return site.link


async def _slow(site: Site) -> None:
    _link(site).delay_s = 0.05
    await lasting(3)
    _link(site).delay_s = 0.0


def _hold(*ways: str, seconds: float = 3.0) -> Doing:
    async def do(site: Site) -> None:
        _link(site).hold(*ways)
        await lasting(seconds)
        _link(site).release()

    return do


async def _cut(site: Site) -> None:
    _link(site).cut()
    await lasting(2)
    _link(site).mend()


async def _deafen(site: Site) -> None:
    assert _link(site).deafen() > 0


# What is between, where everybody is behind walls


def _wall(*ways: str, seconds: float = 3.0) -> Doing:
    """Cut all nodes off the server: "up" is what nodes send, "down" what they are sent."""

    async def do(site: Site) -> None:
        assert site.walls is not None
        server, nodes = [_server(site).place], [node.place for node in site.nodes]
        if "up" in ways:
            site.walls.cut(nodes, server)
        if "down" in ways:
            site.walls.cut(server, nodes)
        await lasting(seconds)
        site.walls.mend()

    return do


async def _wall_off_one(site: Site) -> None:
    """Past its lease: it keeps its people, and must find out that others have given it up."""
    assert site.walls is not None
    server, node = _server(site).place, site.chance.choice(site.nodes).place
    site.walls.cut([node], [server])
    site.walls.cut([server], [node])
    await lasting(6)
    site.walls.mend()


async def _split(site: Site) -> None:
    """One node is left with the primary, which goes on; all others choose another one."""
    assert site.walls is not None
    assert isinstance(site.kept, Watched)
    primary, first = site.kept.primary(), site.nodes[0]
    here = [primary.place, first.place]
    servers = (*site.kept.servers, *site.kept.sentinels)
    there = [server.place for server in servers if server is not primary]
    there += [node.place for node in site.nodes[1:]]
    site.walls.cut(here, there)
    site.walls.cut(there, here)
    await anyio.to_thread.run_sync(site.kept.until_replaced, primary)
    await lasting(3)
    site.walls.mend()


# Several servers


async def _fail_over(site: Site) -> None:
    assert isinstance(site.kept, Watched)
    site.kept.primary().stop()


async def _fail_over_behind(site: Site) -> None:
    """The replicas are cut off for a while before: what is acknowledged meanwhile is lost."""
    assert isinstance(site.kept, Watched)
    primary = site.kept.primary()
    for server in site.kept.servers:
        if server is not primary and server.runs:
            server.say("REPLICAOF 127.0.0.1 1")
    await lasting(1)
    primary.stop()


async def _lose_primary(site: Site) -> None:
    assert isinstance(site.kept, Cluster)
    site.kept.primary_of(_KEY).stop()


async def _move_slot(site: Site) -> None:
    assert isinstance(site.kept, Cluster)
    source = site.kept.primary_of(_KEY)
    target = next(server for server in site.kept.primaries if server is not source)
    slot = source.say(f"CLUSTER KEYSLOT {_KEY}").strip(":\r\n")
    await anyio.to_thread.run_sync(move_slot, slot, source, target, site.kept)


SHAPES = {
    "alone": "alone", "watched": "watched", "cluster": "cluster", "walled": "alone",
    "parted": "watched",
}  # fmt: skip
"""Where faults befall, and how rooms are kept there; behind walls in the last two."""

WALLED = {"walled", "parted"}

_LIMIT = "CONFIG SET client-output-buffer-limit "

FAULTS: dict[str, Fault] = {
    "kill a node": Fault("kill -9 of a node, started again", "F1 F2 F20", _kill_node, often=6),
    "stop a node": Fault("SIGTERM of a node, started again", "F4", _stop_node, often=1),
    "pause a node": Fault("SIGSTOP of a node for 1 s", "F33", _pause_node(1), often=1),
    "pause a node past its lease": Fault("SIGSTOP for 5 s", "F21", _pause_node(5), often=1),
    "restart": Fault("kill -9 of the server, started again", "F5", _restart, often=2),
    "pause 1 s": Fault("SIGSTOP of the server for 1 s", "F10", _pause_server(1), often=1),
    "pause 5 s": Fault("SIGSTOP of the server for 5 s", "F10", _pause_server(5), often=1),
    "pause 30 s": Fault("SIGSTOP of the server for 30 s", "F10", _pause_server(30), within_s=30),
    "slow": Fault("50 ms more on every answer, for 3 s", "F11", _slow, often=1),
    "partition": Fault("every connection reset, none taken for 2 s", "F12", _cut, often=1),
    "one way, asking": Fault("what nodes say is held for 3 s", "F12", _hold("up"), often=1),
    "one way, answering": Fault("answers are held for 3 s", "F12", _hold("down"), often=1),
    "half open": Fault("who listens hears nothing more", "F13 F25", _deafen, often=1),
    "buffer": Fault(
        "the server cuts who listens", "F14",
        _say(_LIMIT + '"pubsub 1 1 1"', 2, _LIMIT + '"pubsub 32mb 8mb 60"'), often=1,
    ),
    "scripts": Fault("SCRIPT FLUSH", "F15", _say("SCRIPT FLUSH"), often=1),
    "full": Fault(
        "maxmemory of 1 MB for 3 s", "F17",
        _say("CONFIG SET maxmemory 1mb", 3, "CONFIG SET maxmemory 0"), often=1,
    ),
    "no head": Fault(
        "a room's head is gone, its log is not", "F18", _say(f"DEL {_KEY}"), loses=True
    ),
    "flush": Fault("FLUSHALL", "F19", _say("FLUSHALL"), loses=True),
    "restart empty": Fault(
        "restart of a server that keeps nothing", "F5", _restart_empty, loses=True
    ),
    "failover": Fault(
        "kill -9 of the primary, by Sentinel", "F6", _fail_over, "watched", loses=True, within_s=30
    ),
    "failover behind": Fault(
        "the same, replicas cut off before", "F8 F9", _fail_over_behind, "watched", loses=True,
        within_s=30,
    ),
    "primary of a cluster": Fault(
        "kill -9 of a primary", "F7", _lose_primary, "cluster", loses=True, within_s=30
    ),
    "slot": Fault("a room's slot moves", "F16", _move_slot, "cluster", within_s=30),
    "wall": Fault("a wall between nodes and server for 3 s", "F12", _wall("up", "down"), "walled"),
    "wall, asking": Fault("what nodes say is dropped for 3 s", "F12", _wall("up"), "walled"),
    "wall, answering": Fault("answers are dropped for 3 s", "F12", _wall("down"), "walled"),
    "wall 30 s": Fault(
        "a wall for 30 s", "F12", _wall("up", "down", seconds=30), "walled", within_s=30
    ),
    "wall one off": Fault(
        "a node alone behind a wall for 6 s, past its lease", "F12 F21", _wall_off_one, "walled"
    ),
    "split": Fault(
        "a node stays with the old primary, the others get a new one", "F9", _split, "parted",
        loses=True, within_s=30,
    ),
    "split, replicated": Fault(
        "the same, with `redis-replicated(1)`", "F9", _split, "parted", loses=True,
        durability="redis-replicated(1)", within_s=30,
    ),
}  # fmt: skip
