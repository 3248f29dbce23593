"""The laws of the protocol page as checkers: they watch a `World` and raise `LawBroken`.

```python
world = World()
laws = Laws(world)
```

From then on every step of every node is checked. Laws that speak of rest are checked by `at_rest`.
Law 11 is about bytes, which no engine knows; the runtime's tests hold it.
"""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core.effects import Append, Effect
from roomkit.core.events import Event
from roomkit.core.inputs import Input
from roomkit.core.policy import Policy, allow_own
from roomkit.core.storage import Outcome
from roomkit.ids import ConnectionId, RoomId
from roomkit.testing.laws.answers import Answers
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.laws.client_view import ClientView, RoomView
from roomkit.testing.laws.invariants import Invariants
from roomkit.testing.laws.legacy_view import LegacyView
from roomkit.testing.laws.order import Order
from roomkit.testing.laws.pages import Pages
from roomkit.testing.laws.presence import Presence
from roomkit.testing.laws.replay import Recording, Trace, replay
from roomkit.testing.laws.truth import Truth
from roomkit.testing.laws.typing import Typing
from roomkit.testing.laws.views import Views
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node, World

__all__ = ["ClientView", "LawBroken", "Laws", "LegacyView", "RoomView"]


class Laws(Observer):
    """Every checker there is, watching one world.

    Args:
        world: not stepped yet.
        policy: the world's; a replay needs it.

    Attributes:
        sound: no law has been broken, and no step has failed.
    """

    def __init__(self, world: World, policy: Policy = allow_own) -> None:
        self._world = world
        self._policy = policy
        limits, clock = world.limits, world.clock
        self.truth = Truth()
        self.sound = True
        self._recording = Recording()
        self._answers = Answers(self.truth, limits, clock)
        self._views = Views(self.truth)
        self._order = Order(self.truth)
        self._presence = Presence(self.truth, limits, clock)
        self._checkers: tuple[Observer, ...] = (
            self.truth,
            self._recording,
            self._answers,
            Pages(self.truth, limits),
            self._order,
            self._presence,
            Typing(self.truth, limits, clock),
            self._views,
            Invariants(),
        )
        world.observers.append(self)

    def stepping(self, node: Node, input: Input) -> None:
        self.sound = False
        for checker in self._checkers:
            checker.stepping(node, input)

    def sent(self, node: Node, connection: ConnectionId, event: Event) -> None:
        for checker in self._checkers:
            checker.sent(node, connection, event)

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for checker in self._checkers:
            checker.stepped(node, input, effects)
        self.sound = True

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        self.sound = False
        for checker in self._checkers:
            checker.appended(node, append, outcome)
        self.sound = True

    def follow(self, connection: ConnectionId, view: ClientView | LegacyView) -> None:
        """Have a client's view reduced and compared; to be called before the connection opens."""
        self._views.clients[connection] = view

    def unfollow(self, connection: ConnectionId) -> None:
        """The client holds this connection no longer, whether its node has heard of that or not."""
        self._views.unfollow(connection)

    def lost(self, node: Node) -> None:
        """A node was killed, and its connections with it."""
        self._answers.lost(node)
        for connection in node.received:
            self._views.unfollow(connection)

    def fail_over(self, rooms: dict[RoomId, int]) -> None:
        """The store has lost all entries above these seqs."""
        self.truth.fail_over(rooms)
        self._answers.fail_over()
        self._order.fail_over()

    @property
    def traces(self) -> list[Trace]:
        """The life of every node there was, for a replay elsewhere."""
        return list(self._recording.traces.values())

    def at_rest(self) -> None:
        """Check what must hold once everything has come to rest.

        That is: every store call is answered, every node is awake and serves every room, and more
        has passed than a lease, a grace and the longest period of looking at tips.

        Raises:
            LawBroken: something does not hold (laws 4, 6, 9, 12, 14).
        """
        nodes = self._world.nodes
        self._answers.settled()
        self._presence.rested(nodes)
        self._views.converged(nodes)
        for trace in self.traces:
            replay(trace, self._world.limits, self._policy)
