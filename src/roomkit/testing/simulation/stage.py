"""All there is in one simulated life: nodes behind fronts, a store, wires, and everybody."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from random import Random

from roomkit.client.asks import Join
from roomkit.client.link import Identity
from roomkit.core.effects import Effect
from roomkit.core.events import User
from roomkit.core.inputs import Asked, HostCommand, Input
from roomkit.core.storage import Hint, StoreSignal
from roomkit.ids import ConnectionId, RequestId, UserId
from roomkit.testing.laws import LegacyView
from roomkit.testing.lives.life import odd_policy
from roomkit.testing.lives.replica import Replica
from roomkit.testing.lives.trouble import Trouble
from roomkit.testing.observer import Observer
from roomkit.testing.simulation.agenda import Agenda
from roomkit.testing.simulation.checks import Checks
from roomkit.testing.simulation.door import Door
from roomkit.testing.simulation.front import Front
from roomkit.testing.simulation.plan import Setup
from roomkit.testing.simulation.seat import LegacySeat, Seat
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.simulation.versions import NewerVersion
from roomkit.testing.simulation.wire import Wire
from roomkit.testing.world import Node, World
from roomkit.testing.world_store import Stores
from roomkit.wire import Codec

__all__ = ["NAMES", "Stage"]

NAMES = (
    *("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"),
    *("kate", "liam", "mona", "nils", "olga", "paul", "rosa", "sven", "tara", "uwe"),
)

_SHARING = 4
"""So many people there are at least, each with tabs; and as many as clients in a larger world."""

_SKEWS_MS = (0, 300, -300, 5_000, -5_000)


class Stage(Observer):
    """Everything there is in one life. `people` and `faults` do things to it.

    Attributes:
        fronts: of every node that lives, standing still or not, oldest first.
        seats: clients of protocol 2.
        others: clients of protocol 1.
        revised: seq of the message somebody edited last.
        replica: what a failover leaves.
        newer: which nodes are of the next version.
        upgraded: all that start from now on are.
    """

    def __init__(
        self, setup: Setup, tally: Tally, stores: Stores, journal: list[str] | None
    ) -> None:
        self.setup = setup
        self.tally = tally
        self.agenda = Agenda(journal)
        limits = setup.limits
        self.world = World(limits, odd_policy, clock=self.agenda.clock, stores=stores)
        self.checks = Checks(self.world, tally, setup.replayed)
        self.world.observers += [self.checks, self]
        self.trouble = Trouble(self.world)
        self._bring, self.world.hints = self.world.hints, self._hint
        self.fronts: list[Front] = []
        self.seats: list[Seat] = []
        self.others: list[LegacySeat] = []
        self.revised = 1
        self.replica = Replica(self.world)
        self.newer = NewerVersion()
        self.upgraded = False
        self._started = 0
        self._chance = Random(setup.seed)
        self._codec = Codec(limits)
        names = NAMES[: max(_SHARING, min(setup.modern, len(NAMES)))]
        self._users = [User(UserId(f"u-{name}"), name) for name in names]
        hosted = {f"token-{user.username}": user for user in self._users}
        hosted |= {user.username: user for user in self._users}
        self._door = Door(hosted if setup.hosted else None)
        self._by_node: dict[str, Front] = {}
        self._connections = count(1)
        self._requests = count(1)
        self._texts = count(1)

    def text(self) -> str:
        """Return a text that nobody has sent."""
        return f"m{next(self._texts)}"

    @property
    def everybody(self) -> list[Seat | LegacySeat]:
        """Every client."""
        return [*self.seats, *self.others]

    # Nodes

    def start_node(self) -> Front:
        """Start a node; of two that start one is of the next version, if versions are mixed."""
        node = self.world.node()
        self._started += 1
        limits, faults = self.setup.limits, self.setup.faults
        if "clock" in faults:
            node.ahead = self._chance.choice(_SKEWS_MS)
        if "versions" in faults and (self.upgraded or self._started % 2 == 0):
            self.newer.make(node)
        front = Front(node, self.agenda, limits, self._door, self.trouble, self.tally)
        front.check_bytes = self.checks.bytes_waiting
        self.fronts.append(front)
        self._by_node[node.name] = front
        node.tick()
        return front

    def lose(self, front: Front, down: int, up: int) -> None:
        """Kill a node; of what is under way on its connections so many frames still arrive."""
        self.fronts.remove(front)
        if not front.asleep:
            self.world.nodes.remove(front.node)
        for wire in list(front.wires.values()):
            wire.cut(down, up, (True, False))
        front.alive = False
        for wire in list(front.wires.values()):
            front.hung_up(wire)
        self.checks.lost(front.node)

    def ask(self, front: Front, command: HostCommand) -> None:
        """Have the host ask; a node that stands still is not asked."""
        if not front.asleep:
            front.step(Asked(RequestId(next(self._requests)), command))

    def _hint(self, node: Node, item: Hint | StoreSignal) -> bool:
        """Let `trouble` decide whether something of the feed comes; note if that is odd."""
        brought, lot = self._bring(node, item), self.trouble.lot(node)
        if lot.silent:
            self.tally.fault("feed silent")
        elif lot.feed != "brings":
            self.tally.fault(f"feed {lot.feed}")
        return brought

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        """Every step ends in what its node's front does of it."""
        if self.agenda.journal is not None:
            self.agenda.note(f"{node.name} took {input}")
        front = self._by_node.get(node.name)
        if front is not None:
            front.perform(effects)

    # Clients

    def add_seat(self, identity: Identity | None = None, like: Seat | None = None) -> Seat:
        """Open a tab; `like` another, or of the next person."""
        number = len(self.seats)
        user = like.user if like is not None else self._users[number % len(self._users)]
        if identity is None:
            identity = (
                Identity(token=f"token-{user.username}")
                if self.setup.hosted
                else Identity(username=user.username)
            )
        name = f"{user.username}-{number + 1}"
        chance = Random(self._chance.getrandbits(32))
        seat = Seat(name, user, self.agenda, self.dial, self.checks.held, identity, chance)
        self.seats.append(seat)
        seat.start()
        return seat

    def add_legacy(self) -> LegacySeat:
        """Start a program that speaks protocol 1."""
        user = self._users[_SHARING - 1]
        name = f"{user.username}-old{len(self.others) + 1}"
        seat = LegacySeat(name, user, self.agenda, self.dial, lambda: LegacyView(self._codec))
        self.others.append(seat)
        seat.start()
        return seat

    def join(self, seat: Seat, rooms: Sequence[str]) -> None:
        """Have a client join rooms."""
        for room in rooms:
            seat.ask(Join(room, meta={"n": 0}))

    def dial(self, seat: Seat | LegacySeat) -> Wire | None:
        """Connect a client to one of the nodes; None if that does not answer."""
        if not self.fronts:
            return None
        number = next(self._connections)
        front = self.fronts[number % len(self.fronts)]
        if not front.accepts:
            return None
        latency = (0, 3, 15, 40)[self._chance.getrandbits(2)]
        connection = ConnectionId(f"{seat.name}-c{number}")
        wire = Wire(
            connection, self.agenda, self.setup.limits, (front, seat), latency, prompt=latency < 10
        )
        front.accept(wire, seat.user.username)
        return wire

    def front_of(self, wire: Wire) -> Front | None:
        """Return the front that serves a wire."""
        return next((front for front in self.fronts if wire.id in front.wires), None)
