"""What can be seen of a `World`: every input before it is judged, and all that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from roomkit.core.effects import Append, Effect
from roomkit.core.events import Event
from roomkit.core.inputs import Input
from roomkit.core.storage import Outcome
from roomkit.ids import ConnectionId

if TYPE_CHECKING:
    from roomkit.testing.world import Node

__all__ = ["Kinds", "Observer"]

Kinds = frozenset[type] | None
"""Classes of inputs, effects or events; None for all there are."""


class Observer:
    """Told of everything in a world, in order. Subclasses override what they care about.

    What they say of kinds is for who tells them: of other kinds they need not be told, and nothing
    comes of it if they are. Inputs, effects and events are told apart by `type(...) is`: where it
    is not the class asked for, `isinstance` takes a Struct several times as long.

    Attributes:
        stepping_kinds: of inputs before which `stepping` has something to do.
        sent_kinds: of events of which `sent` has something to do.
        stepped_kinds: of inputs and effects; after a step without any of them `stepped` has
            nothing to do.
    """

    stepping_kinds: ClassVar[Kinds] = None
    sent_kinds: ClassVar[Kinds] = None
    stepped_kinds: ClassVar[Kinds] = None

    def stepping(self, node: Node, input: Input) -> None:
        """An input is about to be judged."""

    def sent(self, node: Node, connection: ConnectionId, event: Event) -> None:
        """An event was sent to a connection; its step is not over yet."""

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        """An input was judged, and everything of it sent."""

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        """The store was really asked, whatever the node is told of it."""
