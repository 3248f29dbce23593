"""Law 7: nobody is shown typing for longer than the expiry, nor after they spoke or left."""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core import signals
from roomkit.core.commands import TypingStart
from roomkit.core.effects import Broadcast, Effect
from roomkit.core.events import Moderated, Posted, RosterChanged, TypingStarted, TypingStopped
from roomkit.core.inputs import Fed, Input, Received, Tick
from roomkit.core.storage import StoreSignal
from roomkit.ids import RoomId, UserId
from roomkit.limits import Limits
from roomkit.testing.clock import ManualClock
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.laws.truth import Truth
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Typing"]


class Typing(Observer):
    """Remembers when typing last reached each node, and what each node shows.

    That viewers are shown what their node holds is checked with their views.
    """

    stepping_kinds = frozenset({Received, Fed})
    stepped_kinds = frozenset({Broadcast, Fed, Tick})

    def __init__(self, truth: Truth, limits: Limits, clock: ManualClock) -> None:
        self._truth = truth
        self._expiry = limits.typing_expiry_ms
        self._clock = clock
        self._reached: dict[tuple[str, RoomId, UserId], int] = {}

    def stepping(self, node: Node, input: Input) -> None:
        if type(input) is Received and type(input.command) is TypingStart:
            connection = node.engine.state.connections.get(input.connection)
            if connection is not None and connection.session is not None:
                user = connection.session.user.user_id
                for room in node.engine.state.rooms:
                    self._reached[node.name, room, user] = self._clock.mono
        elif type(input) is Fed and type(input.item) is StoreSignal:
            signal = signals.decode(input.item.payload)
            if type(signal) is signals.TypingSignal and signal.active:
                key = (node.name, input.item.room, signal.user_id)
                self._reached[key] = self._clock.mono

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        _look_for_typists_who_spoke(node, effects)
        if type(input) is Fed and type(input.item) is StoreSignal:
            self._look_for_late_news(node, input.item, effects)
        if type(input) is not Tick:
            return
        for name, served in node.engine.state.rooms.items():
            for user_id in served.typists.by_user:
                reached = self._reached.get((node.name, name, user_id), -self._expiry)
                if reached + self._expiry <= self._clock.mono:
                    raise LawBroken(
                        7,
                        f"{node.name} shows {user_id} typing in {name!r} at {self._clock.mono}; "
                        f"that reached it at {reached}",
                    )

    def _look_for_late_news(self, node: Node, item: StoreSignal, effects: Sequence[Effect]) -> None:
        """Typing from before a message that is folded here must not show again."""
        signal, served = signals.decode(item.payload), node.engine.state.rooms.get(item.room)
        if type(signal) is not signals.TypingSignal or served is None or served.room is None:
            return
        model = self._truth.at(item.room, served.room.tip.link)
        spoke = model.spoke.get(signal.user_id, 0) if model is not None else 0
        shown = any(
            type(effect) is Broadcast and type(effect.event) is TypingStarted for effect in effects
        )
        if shown and signal.active and signal.seq < spoke:
            raise LawBroken(
                7, f"{node.name} shows {signal} in {item.room!r}, and folded seq {spoke} of theirs"
            )


def _look_for_typists_who_spoke(node: Node, effects: Sequence[Effect]) -> None:
    spoke: set[tuple[RoomId, UserId]] = set()
    for effect in effects:
        if type(effect) is not Broadcast:
            continue
        match effect.event:
            case Posted(room, message):
                spoke.add((room, message.user_id))
            case RosterChanged(room=room, left=left):
                spoke |= {(room, gone.user_id) for gone in left}
            case Moderated(room=room, user_id=user_id, removed=True):
                spoke.add((room, user_id))
            case TypingStarted(room, user_id) | TypingStopped(room, user_id):
                spoke.discard((room, user_id))
            case _:
                pass
    for room, user_id in spoke:
        served = node.engine.state.rooms.get(room)
        if served is not None and user_id in served.typists.by_user:
            raise LawBroken(7, f"{node.name} shows {user_id} typing in {room!r}, who just spoke")
