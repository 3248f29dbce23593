"""Moving a slot of a cluster while it is used."""

from __future__ import annotations

from tests.stores.redis.deployments import Cluster
from tests.stores.redis.servers import TestServer

__all__ = ["move_slot"]


def move_slot(slot: str, source: TestServer, target: TestServer, cluster: Cluster) -> None:
    """Move it as `redis-cli --cluster reshard` does."""
    names = {server: server.say("CLUSTER MYID").split("\r\n")[1] for server in (source, target)}
    target.until(f"CLUSTER SETSLOT {slot} IMPORTING {names[source]}", "+OK")
    source.until(f"CLUSTER SETSLOT {slot} MIGRATING {names[target]}", "+OK")
    while keys := source.say(f"CLUSTER GETKEYSINSLOT {slot} 10").split("\r\n")[2::2]:
        for key in keys:
            source.until(f"MIGRATE 127.0.0.1 {target.port} {key} 0 5000", "+")
    for server in (target, source, *cluster.primaries):
        server.until(f"CLUSTER SETSLOT {slot} NODE {names[target]}", "+OK")
