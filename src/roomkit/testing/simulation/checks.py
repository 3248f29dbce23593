"""Every law over one simulated world: the checkers of `roomkit.testing.laws`, and the far end's."""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core.effects import Append, Broadcast, Effect
from roomkit.core.events import MessageDeleted, Moderated, TypingStarted
from roomkit.core.inputs import Appended, Input, Tick
from roomkit.core.storage import Behind, Outcome, Unknown
from roomkit.ids import RoomId
from roomkit.testing.laws import LawBroken
from roomkit.testing.laws.answers import Answers
from roomkit.testing.laws.invariants import Invariants
from roomkit.testing.laws.order import Order
from roomkit.testing.laws.pages import Pages
from roomkit.testing.laws.presence import Presence
from roomkit.testing.laws.replay import Recording, replay
from roomkit.testing.laws.truth import Truth
from roomkit.testing.laws.typing import Typing
from roomkit.testing.lives.life import odd_policy
from roomkit.testing.observer import Observer
from roomkit.testing.simulation.held import Held
from roomkit.testing.simulation.kept import Kept
from roomkit.testing.simulation.mourning import Mourning
from roomkit.testing.simulation.spoken import Spoken
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.simulation.telling import Telling
from roomkit.testing.simulation.wire import Wire
from roomkit.testing.world import Node, World

__all__ = ["REFUSALS", "STATES", "Checks"]

STATES = 48
"""Of so many steps of a node, one has its whole state looked through (law 0)."""

REFUSALS = 16
"""Of so many commands, one has the state written down before it (law 12)."""


class Checks(Telling):
    """Told of everything in the world, it tells each checker what that wants to know."""

    def __init__(self, world: World, tally: Tally, replayed: bool) -> None:
        limits, clock = world.limits, world.clock
        self._world = world
        self._tally = tally
        self._controls: dict[RoomId, int] = {}
        self._written: dict[RoomId, int] = {}
        self.truth = Truth()
        self.held = Held(self.truth, limits, tally)
        self._kept = Kept(world, self.truth, tally)
        self._answers = Answers(self.truth, limits, clock, REFUSALS)
        self._order = Order(self.truth)
        self._presence = Presence(self.truth, limits, clock)
        self._states = _States(tally)
        self._recording = Recording() if replayed else None
        checkers: list[Observer] = [
            self.truth,
            self._answers,
            Pages(self.truth, limits),
            self._order,
            self._presence,
            Typing(self.truth, limits, clock),
            Mourning(clock),
            self._kept,
            Spoken(self.truth, tally),
            _Counts(tally),
            self._states,
        ]
        if self._recording is not None:
            checkers.append(self._recording)
        super().__init__(checkers)

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        super().appended(node, append, outcome)
        if type(outcome) is Behind:
            self._tally.seen("behind")
        for told in self.truth.news:
            if told.entry.seq <= self._written.get(append.room, 0):
                self._tally.seen("written anew")
            if append.room in self._controls:
                self._tally.law(16)
            if isinstance(told.event, (MessageDeleted, Moderated)):
                self._controls[append.room] = told.entry.seq

    def bytes_waiting(self, wire: Wire) -> None:
        """Law 11, at the end of each moment.

        Raises:
            LawBroken: more waits than may.
        """
        outbox, most = wire.outbox, self._world.limits.outbox_hard_bytes
        if outbox.waiting > most:
            raise LawBroken(11, f"{outbox.waiting} bytes wait for {wire.id}: more than {most}")

    def lost(self, node: Node) -> None:
        """A node was killed."""
        self._answers.lost(node)
        for room in self.truth.logs:
            if self.truth.tip(room).sessions_at(str(node.engine.node)):
                self._tally.law(9)

    def fail_over(self, rooms: dict[RoomId, int]) -> bool:
        """The store has lost all entries above these seqs; False if that is none."""
        any_lost = self.held.fail_over(rooms)
        self._written = {
            room: max(self._written.get(room, 0), len(log)) for room, log in self.truth.logs.items()
        }
        self.truth.fail_over(rooms)
        self._answers.fail_over()
        self._order.fail_over()
        self._kept.fail_over()
        return any_lost

    def rested(self) -> None:
        """Everything has come to rest.

        Raises:
            LawBroken: something is not as it must be then.
        """
        self._answers.settled()
        self._presence.rested(self._world.nodes)
        for node in self._world.nodes:
            self._states.look(node, Tick())
            if node.engine.node != f"{node.name}-1":
                self._tally.seen("new id")
        tally, answers = self._tally, self._answers
        tally.law(3, answers.repeated)
        tally.law(4, answers.held)
        tally.law(8, self._presence.returned)
        tally.law(12, answers.answered)
        tally.law(13, self._order.followed)
        tally.seen("duplicate", answers.repeated)
        tally.seen("unchanged", answers.compared)

    def replay(self) -> None:
        """Live every node's life once more, if it was recorded (law 14).

        Raises:
            LawBroken: it says something else.
        """
        if self._recording is None:
            return
        for trace in self._recording.traces.values():
            replay(trace, self._world.limits, odd_policy)
            self._tally.law(14, len(trace.inputs))


class _States(Observer):
    """Looks through one state of so many (law 0)."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._invariants = Invariants()
        self._steps = 0

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        self._steps += 1
        if self._steps % STATES == 0:
            self.look(node, input)

    def look(self, node: Node, input: Input) -> None:
        """Look through a node's state, as an input has left it."""
        self._tally.law(0)
        self._invariants.stepped(node, input, ())


class _Counts(Observer):
    """Counts appends whose outcome a node is not told, and users shown typing."""

    stepping_kinds = frozenset({Appended})
    stepped_kinds = frozenset({Broadcast})

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def stepping(self, node: Node, input: Input) -> None:
        if type(input) is Appended and type(input.outcome) is Unknown:
            self._tally.seen("unknown")

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if type(effect) is Broadcast and type(effect.event) is TypingStarted:
                self._tally.law(7)
