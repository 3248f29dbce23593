"""The model: what a deployment does each second, and what that takes.

Everything is a rate times a cost. Rates follow from the shape of a deployment and from what nodes
do by themselves (the periods in `Limits`); costs are measured, see `benchmarks.scale.costs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from roomkit import Limits

__all__ = ["Costs", "Demand", "Shape", "demand"]

_CANARY_S = 2.0  # of an ear, src/roomkit/stores/redis/ear.py
_HOUR_S = 3_600


@dataclass(frozen=True)
class Shape:
    """A deployment.

    Attributes:
        users: how many are connected at a time.
        rooms: that are in use.
        nodes: processes that serve them.
        rooms_per_user: how many rooms a user is in.
        messages_per_user_h, visits_per_user_h: what a user does in an hour; a visit is a join and
            a leave of all rooms.
        typing_per_message: signals, on the way to one message.
    """

    users: int
    rooms: int
    nodes: int
    rooms_per_user: float = 1.0
    messages_per_user_h: float = 12.0
    visits_per_user_h: float = 2.0
    typing_per_message: float = 2.0

    @property
    def members(self) -> float:
        """How many people are in a room."""
        return self.users * self.rooms_per_user / self.rooms

    @property
    def nodes_per_room(self) -> float:
        """How many nodes have somebody of a room, if people are spread at random."""
        return float(self.nodes * (1 - (1 - 1 / self.nodes) ** self.members))


@dataclass(frozen=True)
class Costs:
    """What one of each takes of the server, in microseconds of its processor; and bytes.

    Attributes:
        append, copy: an append of one fact, alone in its call; each subscriber of its channel.
        signal: a signal, without its copies.
        tip: of one room, asked for with many.
        load, save: a room read by a node that has not got it; a snapshot saved.
        lease, lapsed, look: a lease renewed; one node's asked after; what an ear does every 2 s.
        room_bytes, entry_bytes, message_bytes, subscription_bytes: memory, of a room with one
            entry, of an entry more, of an archived message, of a channel subscribed to.
        hint_bytes: sent to a subscriber with a message.
    """

    append: float
    copy: float
    signal: float
    tip: float
    load: float
    save: float
    lease: float
    lapsed: float
    look: float
    room_bytes: float
    entry_bytes: float
    message_bytes: float
    subscription_bytes: float
    hint_bytes: float


@dataclass(frozen=True)
class Demand:
    """What a deployment asks for.

    Attributes:
        per_s: how often each operation happens in a second.
        processor: of the servers, in seconds a second, by operation.
        memory_mib: of the servers, by what is kept.
        out_mib_s: what the servers send to nodes with hints.
    """

    per_s: dict[str, float]
    processor: dict[str, float]
    memory_mib: dict[str, float]
    out_mib_s: float

    @property
    def processors(self) -> float:
        """How many processors the servers keep busy."""
        return sum(self.processor.values())


def demand(shape: Shape, costs: Costs, limits: Limits, shards: int = 1) -> Demand:
    """Return what a deployment asks of its servers.

    Args:
        shards: how many servers there are: each node listens at all of them.
    """
    per_room = shape.nodes_per_room
    messages = shape.users * shape.messages_per_user_h / _HOUR_S
    visits = shape.users * shape.visits_per_user_h * shape.rooms_per_user / _HOUR_S
    roster = shape.members <= limits.roster_limit
    appends = messages + (2 * visits if roster else 0)
    signals = messages * shape.typing_per_message
    if not roster:
        signals += shape.rooms * per_room * 1_000 / limits.occupancy_ms
    active = 1 - exp(-appends / shape.rooms * limits.tips_idle_ms / 1_000)
    tips = active * 1_000 / limits.tips_ms + (1 - active) * 1_000 / limits.tips_idle_ms
    renewals = shape.nodes * 1_000 / limits.lease_renew_ms
    absent = (1 - 1 / shape.nodes) ** max(0.0, shape.members - 1)
    per_s = {
        "append": appends,
        "copy": (appends + signals) * per_room,
        "signal": signals,
        "tip": shape.rooms * per_room * tips,
        "load": visits * absent,
        "save": appends / limits.snapshot_every,
        "lease": renewals,
        "lapsed": renewals * (shape.nodes - 1),
        "look": shape.nodes * shards / _CANARY_S,
    }
    mib = 1024 * 1024
    return Demand(
        per_s=per_s,
        processor={name: rate * getattr(costs, name) / 1e6 for name, rate in per_s.items()},
        memory_mib={
            "rooms": shape.rooms * costs.room_bytes / mib,
            "log, full": shape.rooms * limits.log_entries * costs.entry_bytes / mib,
            "messages, 1,000 a room": shape.rooms * 1_000 * costs.message_bytes / mib,
            "subscriptions": shape.rooms * per_room * costs.subscription_bytes / mib,
        },
        out_mib_s=per_s["copy"] * costs.hint_bytes / mib,
    )
