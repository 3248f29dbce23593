"""The two nodes and the store, stepped from any state they were ever in, each step once.

An engine's step depends on its state, the input and the clock, and on nothing else (law 14), so a
step that was once made is looked up. That is why millions of interleavings can be walked: they are
made of some thousands of different steps. What nodes promise themselves (law 0) is checked after
each of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from roomkit.core.effects import (
    Append,
    Effect,
    FindLapsed,
    Follow,
    LoadRoom,
    ReadLog,
    ReadTips,
    Renew,
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
    Opened,
    RoomLoaded,
    TipsRead,
)
from roomkit.core.policy import Action
from roomkit.core.state import State
from roomkit.core.storage import Hint, Stored
from roomkit.core.timers import Timers
from roomkit.ids import ConnectionId, NodeId, RequestId, RoomId
from roomkit.limits import Limits
from roomkit.stores.memory_room import MemoryRoom
from roomkit.testing.clock import ManualClock
from roomkit.testing.laws.invariants import Invariants
from roomkit.testing.small_worlds.plots import ROOM
from roomkit.testing.small_worlds.shelves import Copies, Shelf
from roomkit.testing.world import Node, World

__all__ = ["PERIOD_MS", "Stage", "Step"]

PERIOD_MS = 10_000
"""How far time moves when it moves: a renewal, a look at tips, a lease and a grace all take it."""

_NEVER_MS = 10**9

_LIMITS = Limits(
    lease_ms=PERIOD_MS,
    lease_renew_ms=PERIOD_MS,
    tips_ms=PERIOD_MS,
    tips_idle_ms=PERIOD_MS,
    presence_grace_ms=PERIOD_MS,
    heartbeat_ms=_NEVER_MS,
    forget_ms=_NEVER_MS,
    unanswered_ms=_NEVER_MS,
)


@dataclass(slots=True)
class _Kept:
    """All of a node that a step can depend on or change."""

    state: State
    minted: int = 1
    members: dict[RoomId, list[ConnectionId]] = field(
        default_factory=dict[RoomId, list[ConnectionId]]
    )
    protocols: dict[ConnectionId, int] = field(default_factory=dict[ConnectionId, int])
    followed: list[RoomId] = field(default_factory=list[RoomId])


class Step(NamedTuple):
    """What became of a node in one or more inputs, and what came out.

    Attributes:
        node: the node afterwards.
        calls: store calls it wants, each numbered on `Stage.calls`.
        told: what each connection was told: numbers on `Stage.tellings`.
        closed: the codes of those that were closed; their node has heard `Closed` already.
        outcomes: of what the host asked: numbers on it too, of one event each.
    """

    node: int
    calls: tuple[int, ...]
    told: dict[ConnectionId | None, int]
    closed: dict[ConnectionId, int]
    outcomes: tuple[tuple[RequestId, int], ...]


class Stage:
    """Nodes, rooms, calls and answers by number, and every step made so far.

    Attributes:
        calls: store calls, each with the index of its node.
        inputs: what a node is to be stepped with.
        tellings: what one connection is told in one step.
        rooms: what the store has of the room.
        fresh: both nodes as they start.
        steps: how many different steps of an engine were made.
    """

    def __init__(self) -> None:
        self.calls: Shelf[tuple[int, Effect]] = Shelf()
        self.inputs: Shelf[Input] = Shelf()
        self.tellings: Shelf[tuple[Event, ...]] = Shelf()
        self.rooms: Copies[MemoryRoom] = Copies()
        self.limits = _LIMITS
        self.world = World(_LIMITS, _allow_all)
        self._nodes: Copies[_Kept] = Copies()
        self._standing = (self.world.node("near"), self.world.node("far"))
        self._minted = [1, 1]
        self._invariants = Invariants()
        self._made: dict[tuple[int, int, tuple[int, ...], int], Step] = {}
        self._stored: dict[tuple[int, int, int], tuple[int, int, int | None]] = {}
        self._read: dict[tuple[int, int], int] = {}
        self._deadlines: dict[int, int | None] = {}
        self._following: set[int] = set()
        near, far = (self._put(_Kept(node.engine.state)) for node in self._standing)
        self.fresh = (near, far)

    @property
    def steps(self) -> int:
        return len(self._made)

    def _put(self, kept: _Kept) -> int:
        number = self._nodes.put(kept)
        self._deadlines[number] = kept.state.timers.next_deadline
        if ROOM in kept.followed:
            self._following.add(number)
        return number

    def stand(self, index: int, number: int) -> Node:
        """Return the node in that state, to be looked at or stepped until the next call."""
        kept, node = self._nodes.copy(number), self._standing[index]

        self._minted[index] = kept.minted

        def mint() -> str:
            self._minted[index] += 1
            return f"{node.name}-{self._minted[index]}"

        node.engine = Engine(limits=_LIMITS, mint=mint, policy=_allow_all, state=kept.state)
        node.members, node.protocols, node.closes = kept.members, kept.protocols, {}
        node.followed = set(kept.followed)
        node.received = {connection: [] for connection in kept.protocols}
        node.watched, node.answers = {}, {}
        node.pending.clear()
        return node

    def step(self, index: int, number: int, inputs: tuple[int, ...], time: int) -> Step:
        """Step a node with each input, at so many periods after the beginning."""
        key = (index, number, inputs, time)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._step(index, number, inputs, time)
        return made

    def _step(self, index: int, number: int, inputs: tuple[int, ...], time: int) -> Step:
        self.world.clock = ManualClock()
        self.world.clock.move_to(time * PERIOD_MS)
        node = self.stand(index, number)
        for one in inputs:
            self._feed(node, self.inputs.get(one))
        closed = dict(node.closes)
        for connection in closed:
            self._close(node, connection)
        calls = self._wanted(index, node)
        state = node.engine.state
        state.timers = _tidy(state.timers)
        kept = _Kept(
            state,
            self._minted[index],
            node.members,
            node.protocols,
            sorted(node.followed),
        )
        told: dict[ConnectionId | None, int] = {
            connection: self.tellings.put(tuple(events))
            for connection, events in node.received.items()
            if events
        }
        outcomes = tuple(
            (request, self.tellings.put((event,))) for request, event in node.answers.items()
        )
        return Step(self._put(kept), calls, told, closed, outcomes)

    def _feed(self, node: Node, input: Input) -> None:
        if isinstance(input, Connected):
            node.received[input.connection] = []
            node.protocols[input.connection] = 0
        elif isinstance(input, Opened):
            node.protocols[input.connection] = input.protocol
        effects = node.step(input)
        self._invariants.stepped(node, input, effects)

    def _close(self, node: Node, connection: ConnectionId) -> None:
        effects = node.drop(connection)
        self._invariants.stepped(node, Closed(connection), effects)

    def _wanted(self, index: int, node: Node) -> tuple[int, ...]:
        """Return the calls to wait for; what the store just does is done."""
        calls: list[int] = []
        while node.pending:
            call = node.pending.popleft()
            match call:
                case Follow(room):
                    node.followed.add(room)
                case Unfollow(room):
                    node.followed.discard(room)
                case Renew(name):
                    self._feed(node, LeaseRenewed(name, True))
                case SendToNodes():
                    pass
                case _:
                    calls.append(self.calls.put((index, call)))
        return tuple(calls)

    # ----------------------------------------------------------------------------------- the store

    def append(self, call: int, room: int, time: int) -> tuple[int, int, int | None]:
        """Have the store perform an append; return the room, the answer, and the hint if any."""
        key = (call, room, time)
        stored = self._stored.get(key)
        if stored is None:
            _, effect = self.calls.get(call)
            assert isinstance(effect, Append)
            kept = self.rooms.copy(room)
            before = kept.tip_seq
            self.world.clock = ManualClock()
            self.world.clock.move_to(time * PERIOD_MS)
            outcome = kept.append(effect, self.world.clock.now().wall)
            answer = self.inputs.put(Appended(effect.room, effect.nonce, outcome))
            hint = None
            if isinstance(outcome, Stored) and kept.tip_seq > before:
                hint = self.inputs.put(Fed(Hint(effect.room, kept.after(before))))
            stored = self._stored[key] = (self.rooms.put(kept), answer, hint)
        return stored

    def read(self, call: int, room: int) -> int:
        """Have the store perform a reading call; return the answer."""
        key = (call, room)
        answer = self._read.get(key)
        if answer is None:
            answer = self._read[key] = self.inputs.put(self._answer(call, room))
        return answer

    def _answer(self, call: int, room: int) -> Input:
        _, effect = self.calls.get(call)
        kept = self.rooms.copy(room)
        match effect:
            case LoadRoom(name):
                return RoomLoaded(name, kept.load())
            case ReadLog(name, after, limit):
                return LogRead(name, after, kept.read(after, limit))
            case ReadTips(names):
                return TipsRead(names, {ROOM: kept.tip()})
            case _:
                raise AssertionError(f"no world is large enough for {effect}")

    def lapsed(self, call: int, dead: tuple[NodeId, ...]) -> int:
        """Return the answer to which of the nodes asked about are dead for long enough."""
        _, effect = self.calls.get(call)
        assert isinstance(effect, FindLapsed)
        return self.inputs.put(LapsedFound(tuple(one for one in effect.nodes if one in dead)))

    # ------------------------------------------------------------------------------------ looking

    def is_due(self, number: int, time: int) -> bool:
        """Tell whether a timer of the node is due."""
        deadline = self._deadlines[number]
        return deadline is not None and deadline <= time * PERIOD_MS

    def follows(self, number: int) -> bool:
        """Tell whether hints of the room reach the node."""
        return number in self._following


def _tidy(timers: Timers) -> Timers:
    """Return the same timers without what the old ones remember of moved and cancelled ones."""
    tidy = Timers()
    for timer, key, at in sorted(timers, key=lambda one: (one[2], one[0], one[1])):
        tidy.set(timer, key, at)
    return tidy


def _allow_all(user: User, room: RoomId, action: Action) -> bool:
    return True
