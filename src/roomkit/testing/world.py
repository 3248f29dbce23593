"""Engines without sockets or threads: nodes, one store, virtual time, and every effect on record.

A `World` performs effects when it is told to and not before, so a test can look between any two
steps, change the order of the store's answers, or replace one by an outcome of its own. The store
is the real `MemoryStore`, or another whose calls never wait: they are run on the spot. Whoever is
in `World.observers` is told of every step.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable

from roomkit.core.commands import Command
from roomkit.core.effects import (
    Answer,
    Append,
    Attach,
    Broadcast,
    Close,
    Deliver,
    Detach,
    Effect,
    FindLapsed,
    Follow,
    LoadRoom,
    PageMessages,
    ReadLog,
    ReadTips,
    Renew,
    SaveRoom,
    SendToNodes,
    Unfollow,
)
from roomkit.core.engine import Engine
from roomkit.core.events import Event, User
from roomkit.core.inputs import (
    Appended,
    Closed,
    Connected,
    Fed,
    Input,
    LapsedFound,
    LeaseRenewed,
    LogRead,
    MessagesPaged,
    Now,
    Opened,
    Received,
    RoomLoaded,
    RoomSaved,
    Tick,
    TipsRead,
)
from roomkit.core.policy import Policy, allow_own
from roomkit.core.storage import Entry, Hint, Outcome, Stored, StoreSignal
from roomkit.ids import ConnectionId, RequestId, RoomId, SessionId, UserId
from roomkit.limits import Limits
from roomkit.stores.base import Store
from roomkit.testing.clock import ManualClock
from roomkit.testing.observer import Observer
from roomkit.testing.world_store import Stores, memory, run_now

__all__ = ["Node", "World", "minting", "run_now"]


def minting(name: str) -> Callable[[], str]:
    """Return what mints a node's ids: `name-1`, `name-2` and so on."""
    count = itertools.count(1)
    return lambda: f"{name}-{next(count)}"


class Node:
    """One engine and what it has sent.

    Attributes:
        received: every event sent to each connection, in order, while it was connected.
        watched: every event broadcast in each room.
        closes: the code each connection was closed with.
        answers: outcomes of the host's requests.
        pending: store effects not performed yet, oldest first.
        followed: rooms whose hints and signals reach this node.
        ahead: how many ms its wall clock is ahead of the world's, below 0 if it is behind.
    """

    def __init__(self, world: World, name: str, store: Store, policy: Policy) -> None:
        self._world = world
        self.name = name
        self.store = store
        self.engine = Engine(limits=world.limits, mint=minting(name), policy=policy)
        self.received: dict[ConnectionId, list[Event]] = {}
        self.watched: dict[RoomId, list[Event]] = {}
        self.members: dict[RoomId, list[ConnectionId]] = {}
        self.protocols: dict[ConnectionId, int] = {}
        self.closes: dict[ConnectionId, int] = {}
        self.answers: dict[RequestId, Event] = {}
        self.pending: deque[Effect] = deque()
        self.followed: set[RoomId] = set()
        self.ahead = 0

    def now(self) -> Now:
        """Return both clocks as this node has them."""
        now = self._world.clock.now()
        return Now(now.mono, now.wall + self.ahead) if self.ahead else now

    def step(self, input: Input) -> list[Effect]:
        """Step the engine now and note what it wants; store effects wait in `pending`."""
        observers = self._world.observers
        for observer in observers:
            observer.stepping(self, input)
        effects = self.engine.step(input, self.now())
        for effect in effects:
            self._note(effect)
        for observer in observers:
            observer.stepped(self, input, effects)
        return effects

    def _note(self, effect: Effect) -> None:
        if type(effect) is Deliver:
            self._send(effect.connection, effect.event)
        elif type(effect) is Broadcast:
            self._send_all(effect)
        elif type(effect) is Attach:
            self.members.setdefault(effect.room, []).append(effect.connection)
        elif type(effect) is Detach:
            if effect.connection in self.protocols:
                self.members[effect.room].remove(effect.connection)
        elif type(effect) is Close:
            self.closes[effect.connection] = int(effect.code)
        elif type(effect) is Answer:
            self.answers[effect.request] = effect.event
        else:
            self.pending.append(effect)

    def _send_all(self, effect: Broadcast) -> None:
        event, without, protocol = effect.event, effect.without, effect.protocol
        if protocol is None:
            self.watched.setdefault(effect.room, []).append(event)
        for member in self.members.get(effect.room, ()):
            if member not in without and protocol in (None, self.protocols[member]):
                self._send(member, event)

    def _send(self, connection: ConnectionId, event: Event) -> None:
        if connection in self.closes:
            return
        self.received[connection].append(event)
        for observer in self._world.observers:
            observer.sent(self, connection, event)

    def perform(self, effect: Effect, outcome: Outcome | None = None) -> list[Effect]:
        """Perform one store effect and step its answer.

        Args:
            effect: one taken from `pending`.
            outcome: for an `Append`, what to answer instead of asking the store.
        """
        answer = self.call(effect, outcome)
        return [] if answer is None else self.step(answer)

    def append(self, effect: Append) -> Outcome:
        """Store an append, and bring it to the other nodes, without stepping its answer."""
        outcome = run_now(self.store.append([effect], self.now().wall))[0]
        for observer in self._world.observers:
            observer.appended(self, effect, outcome)
        if type(outcome) is Stored:
            self._world.hint(self, effect.room, outcome)
        return outcome

    def call(self, effect: Effect, outcome: Outcome | None = None) -> Input | None:
        """Perform one store effect and return its answer, to be stepped later; None if it has none.

        Args:
            effect: one taken from `pending`.
            outcome: for an `Append`, what to answer instead of asking the store.
        """
        store, wall = self.store, self.now().wall
        match effect:
            case Append(room, nonce):
                return Appended(room, nonce, self.append(effect) if outcome is None else outcome)
            case LoadRoom(room):
                return RoomLoaded(room, run_now(store.load(room)))
            case ReadLog(room, after, limit):
                return LogRead(room, after, run_now(store.read(room, after, limit)))
            case SaveRoom(room, snapshot, messages):
                kept = run_now(store.save(room, snapshot, messages, wall))
                return RoomSaved(room, snapshot.position, kept)
            case PageMessages(room, page, query, limit):
                return MessagesPaged(room, page, run_now(store.page(room, query, limit)))
            case ReadTips(rooms):
                return TipsRead(rooms, run_now(store.tips(rooms)))
            case Renew(node, ttl_ms):
                return LeaseRenewed(node, run_now(store.renew(node, ttl_ms)))
            case FindLapsed(nodes):
                return LapsedFound(tuple(run_now(store.lapsed(nodes))))
            case SendToNodes(room, payload):
                self._world.signal(self, room, payload)
            case Follow(room):
                self.followed.add(room)
            case Unfollow(room):
                self.followed.discard(room)
            case _:
                raise AssertionError(f"{effect!r} is not for a store")
        return None

    def settle(self) -> None:
        """Perform every store effect, oldest first, until none is left."""
        while self.pending:
            self.perform(self.pending.popleft())

    def tick(self) -> list[Effect]:
        """Step a Tick."""
        return self.step(Tick())

    # What a test says most often.

    def open(
        self,
        connection: str,
        username: str,
        *,
        protocol: int = 2,
        session: str | None = None,
        user_id: str | None = None,
        guest: bool = False,
    ) -> ConnectionId:
        """Connect and open; ids default to names derived from the connection's and the user's."""
        opened = ConnectionId(connection)
        self.received[opened] = []
        self.protocols[opened] = protocol
        self.step(Connected(opened))
        user = User(UserId(user_id or f"u-{username or connection}"), username, guest)
        tab = SessionId(session or f"s-{connection}")
        self.step(Opened(opened, protocol, user, tab))
        return opened

    def send(self, connection: ConnectionId, command: Command) -> list[Effect]:
        """Have a connection send a command."""
        return self.step(Received(connection, command))

    def drop(self, connection: ConnectionId) -> list[Effect]:
        """Have a connection close."""
        for members in self.members.values():
            if connection in members:
                members.remove(connection)
        self.protocols.pop(connection, None)
        return self.step(Closed(connection))

    def take(self, connection: ConnectionId) -> list[Event]:
        """Return what the connection has received since this was last asked."""
        taken = self.received[connection]
        self.received[connection] = []
        return taken


class World:
    """Nodes on one store, under one clock.

    Args:
        limits: for every node and the store.
        policy: for every node.
        clock: moved by whoever lets time pass.
        stores: makes the store.

    Attributes:
        nodes: those that live; one taken out stands still, and one put back wakes up.
        hints: tells whether something of the feed reaches a node.
        observers: are told of everything.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        policy: Policy = allow_own,
        *,
        clock: ManualClock | None = None,
        stores: Stores = memory,
    ) -> None:
        self.limits = limits or Limits()
        self.clock = clock or ManualClock()
        self._policy = policy
        self.handle = stores(self.limits, self.clock.seconds)
        self._started = 0
        self.nodes: list[Node] = []
        self.observers: list[Observer] = []
        self.hints: Callable[[Node, Hint | StoreSignal], bool] = lambda node, item: True

    def node(self, name: str = "n") -> Node:
        """Start a node."""
        self._started += 1
        node = Node(self, f"{name}{self._started}", self.handle(), self._policy)
        self.nodes.append(node)
        return node

    def hint(self, source: Node, room: RoomId, stored: Stored) -> None:
        """Bring an append to the other nodes that follow the room, unless `hints` drops it."""
        entries = tuple(item for item in stored.items if type(item) is Entry)
        self._feed(source, Hint(room, entries))

    def signal(self, source: Node, room: RoomId, payload: bytes) -> None:
        """Bring a signal to the other nodes that follow the room, unless `hints` drops it."""
        self._feed(source, StoreSignal(room, payload))

    def _feed(self, source: Node, item: Hint | StoreSignal) -> None:
        for node in self.nodes:
            if node is not source and item.room in node.followed and self.hints(node, item):
                node.step(Fed(item))

    def settle(self) -> None:
        """Perform every store effect of every node, and Ticks that are due, until all is quiet."""
        while True:
            busy = [node for node in self.nodes if node.pending]
            due = [node for node in self.nodes if self._is_due(node)]
            if not busy and not due:
                return
            for node in busy:
                node.settle()
            for node in due:
                node.tick()

    def advance(self, ms: int) -> None:
        """Let time pass, stopping at every deadline on the way."""
        until = self.clock.mono + ms
        while True:
            self.settle()
            deadlines = [
                deadline
                for node in self.nodes
                if (deadline := node.engine.next_deadline) is not None and deadline <= until
            ]
            if not deadlines:
                break
            self.clock.move_to(min(deadlines))
        self.clock.move_to(until)

    def _is_due(self, node: Node) -> bool:
        deadline = node.engine.next_deadline
        return deadline is not None and deadline <= self.clock.mono
