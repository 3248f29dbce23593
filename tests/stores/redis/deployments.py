"""Several servers together: one that sentinels watch, and a cluster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.crc import key_slot

from tests.network.walls import HERE, Place
from tests.stores.redis.servers import KEEPING, SERVERS, TestServer, free_port, serving

__all__ = ["DEPLOYMENTS", "Alone", "Cluster", "Deployment", "Watched", "deployed"]

_SERVICE = "chat"
_WHO_LEADS = f"SENTINEL GET-MASTER-ADDR-BY-NAME {_SERVICE}"
_SLOTS = 16_384


class Deployment:
    """Where rooms are kept.

    Attributes:
        url: for a `RedisStore`.
    """

    def __init__(self, url: str, clock: TestServer) -> None:
        self.url = url
        self._clock = clock

    def time_ms(self) -> int:
        """What a server's clock shows, in milliseconds."""
        return self._clock.time_ms()


class Alone(Deployment):
    """One server.

    Attributes:
        server: that.
    """

    def __init__(self, server: TestServer) -> None:
        super().__init__(server.url, server)
        self.server = server


class Watched(Deployment):
    """A primary with two replicas, and three sentinels that replace it when it is gone.

    Attributes:
        servers: the first leads at first.
        sentinels: three.
    """

    def __init__(self, servers: list[TestServer], sentinels: list[TestServer]) -> None:
        hosts = ",".join(f"{one.place.host}:{one.port}" for one in sentinels)
        super().__init__(f"redis+sentinel://{hosts}/{_SERVICE}/0", servers[0])
        self.servers = servers
        self.sentinels = sentinels

    def primary(self) -> TestServer:
        """The one that leads, as the sentinels say."""
        said = self.sentinels[0].say(_WHO_LEADS)
        return next(server for server in self.servers if f"\r\n{server.port}\r\n" in said)

    def until_replaced(self, primary: TestServer) -> None:
        """Wait until the sentinels say that another one leads."""
        deadline = time.monotonic() + 30
        while self.primary() is primary:
            if time.monotonic() > deadline:
                raise TimeoutError("nobody has replaced it")
            time.sleep(0.02)  # nor do they tell


class Cluster(Deployment):
    """Three primaries with a third of the slots each, and a replica of each.

    Attributes:
        primaries, replicas: in the order of their slots, at first.
    """

    def __init__(self, primaries: list[TestServer], replicas: list[TestServer]) -> None:
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in primaries)
        super().__init__(f"redis+cluster://{hosts}", primaries[0])
        self.primaries = primaries
        self.replicas = replicas

    def primary_of(self, key: str) -> TestServer:
        """Which of the first primaries has a key."""
        return self.primaries[key_slot(key.encode()) * 3 // _SLOTS]


@contextmanager
def _watched(kind: str, place: Callable[[], Place]) -> Generator[Watched]:
    with TemporaryDirectory() as folder, ExitStack() as stack:

        def start(name: str, *options: str) -> TestServer:
            (Path(folder) / name).mkdir()
            server = TestServer(SERVERS[kind](), Path(folder) / name, *options, place=place())
            server.start()
            stack.callback(_end, server)
            return server

        servers = [start("0", *KEEPING)]
        for name in ("1", "2"):
            leader = servers[0].place.host, str(servers[0].port)
            servers.append(start(name, *KEEPING, "--replicaof", *leader))
        _until_replicated(servers[0], 2)
        sentinels: list[TestServer] = []
        for name in ("s0", "s1", "s2"):
            file = Path(folder) / f"{name}.conf"
            file.write_text(
                f"sentinel monitor {_SERVICE} {servers[0].place.host} {servers[0].port} 2\n"
                f"sentinel down-after-milliseconds {_SERVICE} 1000\n"
                f"sentinel failover-timeout {_SERVICE} 3000\n"
            )
            sentinels.append(start(name, str(file), "--sentinel"))
        for sentinel in sentinels:
            sentinel.until(f"SENTINEL SENTINELS {_SERVICE}", "*2\r\n")
            sentinel.until(f"SENTINEL MASTER {_SERVICE}", "num-slaves\r\n$1\r\n2")
        yield Watched(servers, sentinels)


@contextmanager
def _cluster(kind: str, place: Callable[[], Place]) -> Generator[Cluster]:
    """None of them may be elsewhere: they tell each other that all are here."""
    assert place() is HERE
    with TemporaryDirectory() as folder, ExitStack() as stack:
        servers: list[TestServer] = []
        for number in range(6):
            own = Path(folder) / str(number)
            own.mkdir()
            server = TestServer(
                SERVERS[kind](), own, *KEEPING, "--cluster-enabled", "yes",
                "--cluster-port", str(free_port()), "--cluster-node-timeout", "2000",
                "--cluster-replica-validity-factor", "0",
            )  # fmt: skip
            server.start()
            stack.callback(_end, server)
            servers.append(server)
        primaries, replicas = servers[:3], servers[3:]
        for number, server in enumerate(primaries):
            first, end = (math.ceil(part * _SLOTS / 3) for part in (number, number + 1))
            server.say(f"CLUSTER ADDSLOTSRANGE {first} {end - 1}")
        bus = _bus(primaries[0])
        for server in servers[1:]:
            server.say(f"CLUSTER MEET 127.0.0.1 {primaries[0].port} {bus}")
        for server in servers:
            server.until("CLUSTER INFO", "cluster_known_nodes:6")
        for primary, replica in zip(primaries, replicas, strict=True):
            name = primary.say("CLUSTER MYID").split("\r\n")[1]
            replica.until(f"CLUSTER REPLICATE {name}", "+OK")
        for server in servers:
            server.until("CLUSTER INFO", "cluster_state:ok")
        for primary in primaries:
            _until_replicated(primary, 1)
        for server in servers:  # until everybody knows of everybody's replica
            server.until("CLUSTER SLOTS", "*3\r\n*4\r\n")
        yield Cluster(primaries, replicas)


def _until_replicated(primary: TestServer, replicas: int) -> None:
    """Wait until so many have all it has: one that is connected may still have nothing."""
    primary.until("INFO replication", f"connected_slaves:{replicas}")
    while primary.until("INFO replication", "state=online").count("state=online") < replicas:
        time.sleep(0.02)  # nor does a server tell when another has caught up


def _bus(server: TestServer) -> str:
    said = server.say("CONFIG GET cluster-port")
    return said.split("\r\n")[4]


def _end(server: TestServer) -> None:
    if server.runs:
        server.stop()


@contextmanager
def _alone(kind: str, place: Callable[[], Place]) -> Generator[Alone]:
    with serving(kind, place=place()) as server:
        yield Alone(server)


_SHAPES = {"alone": _alone, "watched": _watched, "cluster": _cluster}
DEPLOYMENTS = [f"{kind}-{shape}" for kind in SERVERS for shape in _SHAPES]


@contextmanager
def deployed(name: str, place: Callable[[], Place] = lambda: HERE) -> Generator[Deployment]:
    """Run one of `DEPLOYMENTS`, empty at first; each server of it in a place of its own."""
    kind, _, shape = name.partition("-")
    with _SHAPES[shape](kind, place) as running:
        yield running
