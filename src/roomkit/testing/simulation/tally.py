"""What came up in a run and how often: faults, each law's condition, and what must not be rare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

__all__ = ["CONDITIONS", "FAULTS", "SEEN", "Tally"]

FAULTS: dict[str, str] = {
    "cut": "a connection was cut, and what was under way either way was lost from some frame on",
    "silence": "a connection went dead without either side being told",
    "stall": "a client stopped reading",
    "unreachable": "a client could not reach the server for a while",
    "reload": "a client forgot everything but its token and session",
    "twin": "a tab was duplicated, session and all",
    "kill": "a node was killed",
    "drain": "a node was stopped in good order",
    "sleep": "a node stood still, and went on later",
    "slow": "the store took its time, both ways",
    "deaf": "the store did nothing at all for a while",
    "behind": "the store answered an append with Behind",
    "failed": "the store answered an append with Failed",
    "lost": "an append ended as Unknown, and was not stored",
    "unknown": "an append ended as Unknown, and was stored",
    "late": "an append ended as Unknown, and was stored later",
    "broken": "a store call other than an append failed",
    "feed drops": "hints and signals of the store were lost",
    "feed holds": "hints and signals of the store came late and in another order",
    "feed repeats": "hints and signals of the store came twice, the second time late",
    "interrupted": "a node was told that its feed had a gap",
    "never": "a store call, performed or not, was not answered, and was given up",
    "paused": "the store stood still for all nodes, and performed later what they had given up",
    "partitioned unheard": "no call of a node reached the store, and nothing of the feed the node",
    "partitioned unanswered": "no answer of the store reached a node, nor anything of the feed",
    "feed silent": "hints and signals were lost to a node that was cut off from the store",
    "failover": "a replica took over: entries were lost, and their seqs given to others",
    "clock forward": "a node's wall clock jumped ahead, by an hour at most",
    "clock back": "a node's wall clock jumped back, by an hour at most",
    "restart": "a node was killed and started anew, under a new id",
    "posthumous": "an append of a node that had died was stored, or refused, after its death",
    "newer format": "a node of the next version saved a snapshot that others cannot read",
    "older format": "a node's snapshot was refused for a newer one",
    "unreadable": "a node could not serve a room for a snapshot that it cannot read",
    "unknown fact": "a node of the next version wrote facts and told signals others do not know",
}

CONDITIONS: dict[int, str] = {
    0: "states looked through for what contradicts or was left behind",
    1: "frames that moved a client's position",
    2: "replays compared with the log",
    3: "acks that repeated an earlier one",
    4: "acks held to the log",
    5: "views and snapshots compared with the model",
    6: "views compared at rest, after cuts",
    7: "users shown typing, by node",
    8: "sessions that came back within their grace",
    9: "occupants left behind by a node that died",
    10: "frames sent to protocol 1",
    11: "connections that shed or were given up for what waited for them",
    12: "commands answered",
    13: "messages followed from their connections into the log",
    14: "steps replayed byte for byte",
    15: "entries told to several connections",
    16: "entries after a delete, a kick or a node's loss, in its room",
}

SEEN: dict[str, str] = {
    "recovered true": "joins that went on without a gap",
    "recovered false": "joins that were told of a gap",
    "gap while joined": "rooms that were told of a gap while joined",
    "behind": "appends really refused by the store for an old fence or nonce",
    "unknown": "appends whose outcome the engine was not told",
    "duplicate": "sends acknowledged as duplicates",
    "acked": "sends acknowledged to the application",
    "failed visibly": "sends given up, and said so",
    "written at once": "frames written past an outbox, to a socket that keeps up",
    "outbox shed": "frames shed because they may be",
    "slow consumer": "connections closed with 4001",
    "session replaced": "connections closed with 4005",
    "session resumed": "sessions that a restarted or other node brought back",
    "unchanged": "refused commands after which the whole state was compared",
    "left nothing": "worlds looked through after everybody had left",
    "view compared": "views of clients compared with the model while things went on",
    "protocol 1": "clients of protocol 1 compared at rest",
    "large world": "worlds with three nodes or more and eight clients or more",
    "new id": "nodes that were taken for lost while they stood still, and went on under a new id",
    "acked and lost": "messages acknowledged, and lost in a failover",
    "written anew": "seqs that a second entry was given after a failover",
    "fork told": "clients at a lost entry that were told of a gap before anything else",
    "caught up": "rooms that nodes had in time once all trouble was over, after having lagged",
    "mourned": "rooms that listed sessions of a dead node when trouble was over, and did not then",
}


class Tally(Counter[str]):
    """Counts by name: `fault <name>`, `law <number>`, `seen <name>`, and others."""

    def law(self, number: int, times: int = 1) -> None:
        """Note that a law's condition came up, and it was looked at."""
        self[f"law {number}"] += times

    def fault(self, name: str) -> None:
        """Note a fault that really took effect."""
        self[f"fault {name}"] += 1

    def seen(self, name: str, times: int = 1) -> None:
        """Note something that must not be rare."""
        self[f"seen {name}"] += times

    def missing(self) -> list[str]:
        """Return everything that should have come up and never did."""
        return [name for name in _expected() if not self[name]]


def _expected() -> Iterable[str]:
    yield from (f"fault {name}" for name in FAULTS)
    yield from (f"law {number}" for number in CONDITIONS)
    yield from (f"seen {name}" for name in SEEN)
