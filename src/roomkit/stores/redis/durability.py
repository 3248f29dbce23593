"""What an acknowledgement is to mean, and whether the servers are set up for it.

`redis`: the server has applied it. `redis-fsync`: and it is on the server's disk, for which the
server answers after `fsync` (`appendfsync always`). `redis-replicated(n)`: and n replicas have
received it, for which the append waits (`WAIT`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from roomkit.errors import StoreError
from roomkit.stores.redis.server import Server

__all__ = ["Durability"]

_OLDEST = 7
_KEEPING = ("noeviction", "volatile-")


@dataclass(frozen=True)
class Durability:
    """A level.

    Attributes:
        name: as `welcome` says it.
        replicas: how many have to have an append before it is acknowledged.
    """

    name: str
    replicas: int = 0

    @classmethod
    def parse(cls, name: str) -> Durability:
        """Read a level's name.

        Raises:
            ValueError: there is none of this name.
        """
        replicated = re.fullmatch(r"redis-replicated\(([1-9])\)", name)
        if replicated is None and name not in ("redis", "redis-fsync"):
            raise ValueError(
                f"durability must be redis, redis-fsync or redis-replicated(1) to (9), not {name!r}"
            )
        return cls(name, int(replicated[1]) if replicated else 0)

    async def check(self, server: Server) -> None:
        """Look whether a server keeps what it is given, and as this level asks.

        Raises:
            StoreError: it cannot be reached, is too old, may forget what it was given, or is not
                set up for this level. Each says what to do.
        """
        facts = await server.facts("server", "memory", "persistence", "replication")
        version = str(facts.get("redis_version", "0"))
        if int(version.split(".")[0]) < _OLDEST:
            raise StoreError(f"the server is Redis {version}: RedisStore needs 7.0, or any Valkey")
        policy = str(facts.get("maxmemory_policy", "noeviction"))
        if not policy.startswith(_KEEPING):
            raise StoreError(
                f"the server's maxmemory-policy is {policy}: it would forget messages to make "
                "room; set it to noeviction"
            )
        if self.name == "redis-fsync":
            await self._check_fsync(server, on=bool(facts.get("aof_enabled")))
        connected = int(str(facts.get("connected_slaves", 0)))
        if connected < self.replicas:
            raise StoreError(
                f"durability {self.name} needs {self.replicas} replicas, and {server.name} has "
                f"{connected}: add some, or choose less"
            )

    async def _check_fsync(self, server: Server, *, on: bool) -> None:
        try:
            _, policy = await server.call("CONFIG", "GET", "appendfsync")
        except (StoreError, ValueError) as error:
            raise StoreError(
                "durability redis-fsync has to see the server's appendfsync: allow its user "
                "CONFIG GET, or choose durability redis"
            ) from error
        if not on or policy != b"always":
            raise StoreError(
                "durability redis-fsync needs a server with appendonly yes and appendfsync always: "
                "set them, or choose durability redis"
            )
