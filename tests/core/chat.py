"""A node, its store and its people, for tests of the engine's modules.

Nothing waits unless a test says `hold`: each step is followed by whatever it sets off.
"""

from collections.abc import MutableMapping, Sequence
from copy import deepcopy
from typing import TypeVar

from roomkit.core import facts
from roomkit.core.commands import Command, JoinRoom, SendMessage
from roomkit.core.effects import Append, Effect, FactItem
from roomkit.core.events import Event, Failure
from roomkit.core.inputs import Asked, HostCommand, Input
from roomkit.core.policy import Policy, allow_own
from roomkit.core.room import Room
from roomkit.core.state import Served
from roomkit.core.storage import Entry, Nonce, Outcome, Stored
from roomkit.errors import ErrorCode
from roomkit.ids import ConnectionId, NodeId, RequestId, RoomId, UserId
from roomkit.limits import Limits
from roomkit.stores.memory import MemoryStore
from roomkit.stores.memory_room import MemoryRoom
from roomkit.testing.world import Node, World, run_now

LOBBY, GARDEN = RoomId("lobby"), RoomId("garden")

E = TypeVar("E")


class Chat:
    """One or more nodes; what is done without naming one is done on the first.

    Attributes:
        hold: store effects wait until they are performed by name.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        policy: Policy = allow_own,
        nodes: int = 1,
    ) -> None:
        self.world = World(limits, policy)
        self.nodes = [self.world.node() for _ in range(nodes)]
        self.node = self.nodes[0]
        self.homes: dict[ConnectionId, Node] = {}
        self.hold = False
        self._asked = 0
        self.world.settle()

    def settle(self) -> None:
        """Perform all that waits, and tick."""
        self.hold = False
        self.world.settle()

    def _go_on(self) -> None:
        if not self.hold:
            self.world.settle()

    def open(
        self,
        connection: str,
        username: str | None = None,
        *,
        node: Node | None = None,
        protocol: int = 2,
        session: str | None = None,
        guest: bool = False,
    ) -> ConnectionId:
        """Connect; the user's name is the connection's unless another is given."""
        home = node or self.node
        name = connection if username is None else username
        opened = home.open(connection, name, protocol=protocol, session=session, guest=guest)
        self.homes[opened] = home
        self._go_on()
        self.take(opened)
        return opened

    def step(self, input: Input, node: Node | None = None) -> list[Effect]:
        effects = (node or self.node).step(input)
        self._go_on()
        return effects

    def send(self, connection: ConnectionId, command: Command) -> list[Event]:
        """Send a command; return what its connection has received since it was last asked."""
        self.homes[connection].send(connection, command)
        self._go_on()
        return self.take(connection)

    def join(self, connection: ConnectionId, room: str = "lobby") -> list[Event]:
        return self.send(connection, JoinRoom(room=room))

    def say(self, connection: ConnectionId, text: str, room: str = "lobby") -> list[Event]:
        return self.send(connection, SendMessage(room=room, message=text, ref=text))

    def drop(self, connection: ConnectionId) -> list[Effect]:
        effects = self.homes[connection].drop(connection)
        self._go_on()
        return effects

    def ask(self, command: HostCommand, node: Node | None = None) -> Event:
        """Have the host ask, and return the answer."""
        self._asked += 1
        request = RequestId(self._asked)
        self.step(Asked(request, command), node)
        return (node or self.node).answers[request]

    def take(self, connection: ConnectionId) -> list[Event]:
        return self.homes[connection].take(connection)

    def advance(self, ms: int) -> None:
        self.world.advance(ms)

    def waiting(self, kind: type[E], node: Node | None = None) -> list[E]:
        """Return the store effects of a kind that wait to be performed."""
        return [effect for effect in (node or self.node).pending if isinstance(effect, kind)]

    def append(self, outcome: Outcome | None = None, node: Node | None = None) -> Append:
        """Perform the oldest append that waits, or let it end as said."""
        home = node or self.node
        effect = self.waiting(Append, home)[0]
        home.pending.remove(effect)
        home.perform(effect, outcome)
        return effect

    def kept(self, name: str = "lobby") -> MemoryRoom:
        """Return a copy of what the store keeps of a room."""
        return deepcopy(self._rooms()[RoomId(name)])

    def put_back(self, kept: MemoryRoom, name: str = "lobby") -> None:
        """Have the store lose all it was given since, as a failover does."""
        self._rooms()[RoomId(name)] = deepcopy(kept)

    def _rooms(self) -> MutableMapping[RoomId, MemoryRoom]:
        store = self.node.store
        assert isinstance(store, MemoryStore)
        return store._shared.rooms

    def write(self, *texts: str) -> None:
        """Have a node unknown to all others post in the lobby, unnoticed."""
        self.write_facts(*[facts.Posted(UserId("u-eve"), "eve", text) for text in texts])

    def write_facts(self, *all_facts: facts.Fact) -> None:
        """The same with any facts; the last one may be a control fact."""
        self._asked += 1
        nonce = Nonce(NodeId("stranger"), self._asked)
        items = tuple(FactItem(None, facts.encode(fact)) for fact in all_facts)
        control = type(all_facts[-1]) in facts.CONTROL_FACTS
        append = Append(LOBBY, nonce, self.room().fence, items, control)
        (outcome,) = run_now(self.node.store.append([append], self.world.clock.now().wall))
        assert isinstance(outcome, Stored)

    def log(self, name: str = "lobby") -> list[Entry]:
        """Return what the store's log holds."""
        return list(run_now(self.node.store.read(RoomId(name), 0, 10_000)).entries)

    def served(self, name: str = "lobby", node: Node | None = None) -> Served:
        return (node or self.node).engine.state.rooms[RoomId(name)]

    def room(self, name: str = "lobby", node: Node | None = None) -> Room:
        room = self.served(name, node).room
        assert room is not None
        return room


def codes(events: list[Event]) -> list[ErrorCode]:
    """The codes of the errors among these."""
    return [event.code for event in events if isinstance(event, Failure)]


def only(kind: type[E], things: Sequence[object]) -> list[E]:
    """Those of a kind."""
    return [thing for thing in things if isinstance(thing, kind)]
