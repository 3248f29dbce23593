"""Every law over one simulated world: the checkers of `roomkit.testing.laws`, and the far end's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from roomkit.core.effects import Append, Effect
from roomkit.core.events import Event, MessageDeleted, Moderated
from roomkit.core.inputs import Appended, Input, Tick
from roomkit.core.storage import Behind, Outcome, Unknown
from roomkit.ids import ConnectionId, RoomId
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
from roomkit.testing.simulation.mourning import Mourning
from roomkit.testing.simulation.spoken import Spoken
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.simulation.wire import Wire
from roomkit.testing.world import Node, World

__all__ = ["REFUSALS", "STATES", "Checks"]

STATES = 48
"""Of so many steps of a node, one has its whole state looked through (law 0)."""

REFUSALS = 16
"""Of so many commands, one has the state written down before it (law 12)."""


class Checks(Observer):
    """Told of everything in the world, it tells each checker what that wants to know."""

    def __init__(self, world: World, tally: Tally, replayed: bool) -> None:
        limits, clock = world.limits, world.clock
        self._world = world
        self._tally = tally
        self._steps = 0
        self._controls: dict[RoomId, int] = {}
        self.truth = Truth()
        self.held = Held(self.truth, tally)
        self._answers = Answers(self.truth, limits, clock, REFUSALS)
        self._order = Order(self.truth)
        self._presence = Presence(self.truth, limits, clock)
        self._invariants = Invariants()
        self._recording = Recording(clock) if replayed else None
        checkers: list[Observer] = [
            self.truth,
            self._answers,
            Pages(self.truth, limits),
            self._order,
            self._presence,
            Typing(self.truth, limits, clock),
            Mourning(clock),
            Spoken(self.truth, tally),
        ]
        if self._recording is not None:
            checkers.append(self._recording)
        self._stepping = [one.stepping for one in checkers if _cares(one, "stepping")]
        self._sent = [one.sent for one in checkers if _cares(one, "sent")]
        self._stepped = [one.stepped for one in checkers if _cares(one, "stepped")]
        self._appended = [one.appended for one in checkers if _cares(one, "appended")]

    def stepping(self, node: Node, input: Input) -> None:
        for tell in self._stepping:
            tell(node, input)
        if isinstance(input, Appended) and isinstance(input.outcome, Unknown):
            self._tally.seen("unknown")

    def sent(self, node: Node, connection: ConnectionId, event: Event) -> None:
        for tell in self._sent:
            tell(node, connection, event)

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for tell in self._stepped:
            tell(node, input, effects)
        self._steps += 1
        if self._steps % STATES == 0:
            self._tally.law(0)
            self._invariants.stepped(node, input, effects)

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        for tell in self._appended:
            tell(node, append, outcome)
        if isinstance(outcome, Behind):
            self._tally.seen("behind")
        for told in self.truth.news:
            if append.room in self._controls:
                self._tally.law(16)
            if isinstance(told.event, MessageDeleted | Moderated):
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

    def rested(self) -> None:
        """Everything has come to rest.

        Raises:
            LawBroken: something is not as it must be then.
        """
        self._answers.settled()
        self._presence.rested(self._world.nodes)
        for node in self._world.nodes:
            self._invariants_of(node)
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

    def _invariants_of(self, node: Node) -> None:
        self._tally.law(0)
        self._invariants.stepped(node, Tick(), ())


def _cares(checker: Observer, name: str) -> bool:
    """Tell whether a checker does anything when told of this."""
    told: Callable[..., None] = getattr(type(checker), name)
    return told is not getattr(Observer, name)
