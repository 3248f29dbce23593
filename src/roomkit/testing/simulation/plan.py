"""What a seed means: the world it sets up, and the steps of its life, as data.

Every step is one line that makes sense wherever it stands (what it names is taken modulo what there
is), so a part of the list can be run as well as the whole.
"""

from __future__ import annotations

from random import Random

import msgspec

from roomkit.limits import Limits
from roomkit.testing.lives.life import BRIEF, SMALL

__all__ = ["EMPTIED", "LARGE", "REPLAYED", "Setup", "Step", "plan"]

REPLAYED = 16
"""In one of so many lives every node's life is replayed (law 14)."""

LARGE = 30
"""One in so many worlds has up to five nodes and up to twenty clients."""

EMPTIED = 4
"""In one of so many everybody leaves at the end, and nothing may stay (law 0)."""

TIGHT: dict[str, int] = {
    "tips_ms": 3_000,
    "tips_idle_ms": 4_000,
    "occupancy_ms": 1_000,
    "lease_renew_ms": 3_000,
    "outbox_soft_bytes": 4_000,
    "outbox_hard_bytes": 13_000,
    "snapshot_bytes": 3_500,
    "page_bytes": 3_000,
    "replay_bytes": 3_000,
    "close_ms": 1_000,
    "websocket_ping_ms": 5_000,
    "idempotency_ms": 30_000,
}
"""So little may wait that a client who stalls is soon given up; and nodes that rest rest longer."""

VARIANTS: tuple[Limits, ...] = tuple(
    Limits(**BRIEF | TIGHT | more)
    for more in (
        {},
        SMALL,
        SMALL | {"roster_limit": 2, "roster_return": 1},
        SMALL | {"roster_limit": 200, "roster_return": 150},
        {"replay_entries": 5, "log_entries": 20, "snapshot_every": 6, "history_window": 30},
        {"replay_bytes": 1_200, "page_bytes": 1_200, "messages_per_s": 50, "messages_burst": 50},
    )
)


class Setup(msgspec.Struct, frozen=True):
    """What a life begins with.

    Attributes:
        nodes: how many run at first.
        modern, legacy: how many clients there are of protocol 2, of protocol 1.
        hosted: users are known to the host; else all are guests.
        replayed: every node's life is replayed at the end (law 14).
        emptied: at the end everybody leaves, and nothing may stay (law 0).
        faults: the kinds of fault in this life.
    """

    seed: int
    limits: Limits
    nodes: int
    modern: int
    legacy: int
    hosted: bool
    replayed: bool
    emptied: bool
    faults: tuple[str, ...]

    def __str__(self) -> str:
        users = "users of the host" if self.hosted else "guests"
        return (
            f"{self.nodes} nodes, {self.modern} clients of protocol 2 and {self.legacy} of "
            f"protocol 1, {users}; faults: {', '.join(self.faults)}"
        )


class Step(msgspec.Struct, frozen=True):
    """One thing to do.

    Attributes:
        after: milliseconds since the step before.
        do: what: a name in `PEOPLE_DO`, `HOST_DOES` or `FAULTS_DO`.
        who: which client or node, modulo how many there are.
        pick: whatever else there is to choose.
    """

    after: int
    do: str
    who: int
    pick: int

    def __str__(self) -> str:
        return f"{self.after} ms later: {self.do} (who {self.who}, pick {self.pick})"


PEOPLE_DO: dict[str, int] = {
    "say": 26,
    "chat": 4,
    "type": 10,
    "stop typing": 2,
    "edit": 5,
    "delete": 3,
    "page": 4,
    "list users": 2,
    "signal": 3,
    "join": 6,
    "leave": 2,
    "press on": 2,
    "say wrongly": 1,
}
"""What people do, and how often."""

HOST_DOES: dict[str, int] = {"post": 2, "kick": 1, "revise": 1, "look": 1}

FAULTS_DO: dict[str, tuple[str, ...]] = {
    "cut": ("cut",),
    "silence": ("silence",),
    "stall": ("stall", "flood", "flood", "read on"),
    "unreachable": ("go away", "come back"),
    "reload": ("reload",),
    "twin": ("duplicate",),
    "kill": ("kill", "start node"),
    "drain": ("drain", "start node"),
    "sleep": ("sleep", "wake"),
    "slow": ("slow store", "quick store"),
    "deaf": ("deaf store", "quick store"),
    "behind": ("behind",),
    "failed": ("failed",),
    "lost": ("lost",),
    "unknown": ("unknown",),
    "late": ("late", "store late"),
    "broken": ("broken",),
    "feed drops": ("feed drops", "feed brings"),
    "feed holds": ("feed holds", "bring", "feed brings"),
    "interrupted": ("interrupt",),
    "restart": ("restart",),
    "never": ("never",),
    "paused": ("pause store", "mend store"),
    "partitioned": ("cut store off", "mend store"),
    "feed repeats": ("feed repeats", "bring", "feed brings"),
    "failover": ("copy store", "copy store", "fail over"),
    "clock": ("set clock",),
    "versions": ("speak newer", "restart", "drain", "start node"),
}
"""The steps that make each kind of fault, and undo it."""

_NEED_NODES = frozenset({"feed drops", "feed holds", "feed repeats"})

_TIMES = (0, 0, 5, 5, 20, 20, 60, 60, 150, 400)
_LONG_TIMES = (1_200, 2_500, 6_500)
_EVERY_LONG = 60
_FAULTS_IN_ALL = 45


def plan(
    seed: int, steps: int, nodes: int | None = None, clients: int | None = None
) -> tuple[Setup, list[Step]]:
    """Return what a seed means; the same for ever for the same version of this module.

    Args:
        nodes: so many, whatever the seed draws; the faults that need two are among those drawn.
        clients: so many of both protocols, whatever the seed draws; nothing else is another.
    """
    chance = Random(seed)
    large = chance.randrange(LARGE) == 0
    drawn = chance.choice((3, 3, 4, 5) if large else (1, 1, 1, 1, 1, 1, 2, 2, 2, 3))
    nodes = drawn if nodes is None else nodes
    modern = chance.randint(5, 20) if large else chance.choice((3, 3, 4))
    legacy = chance.choice((0, 0, 1))
    if clients is not None:
        legacy = min(legacy, clients - 1)
        modern = clients - legacy
    kinds = [kind for kind in FAULTS_DO if nodes > 1 or kind not in _NEED_NODES]
    faults = tuple(sorted(chance.sample(kinds, chance.randint(2, 6))))
    setup = Setup(
        seed=seed,
        limits=chance.choice(VARIANTS),
        nodes=nodes,
        modern=modern,
        legacy=legacy,
        hosted=chance.random() < 0.7,
        replayed=seed % REPLAYED == 0,
        emptied=seed % EMPTIED == 1,
        faults=faults,
    )
    weights = PEOPLE_DO | HOST_DOES
    share = _FAULTS_IN_ALL / len(faults)
    for fault in faults:
        for name in FAULTS_DO[fault]:
            weights[name] = weights.get(name, 0) + round(share / len(FAULTS_DO[fault]))
    names = chance.choices(list(weights), list(weights.values()), k=steps)
    return setup, [_step(name, chance) for name in names]


def _step(name: str, chance: Random) -> Step:
    number = chance.getrandbits(40)
    times = _TIMES if number % _EVERY_LONG else _LONG_TIMES
    return Step(times[(number >> 8) % len(times)], name, (number >> 16) % 64, (number >> 24) % 4096)
