"""Laws 1, 2, 5, 7, 10 and 15 at the engine's mouth: what each connection is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from roomkit.core.effects import Effect
from roomkit.core.events import (
    Advanced,
    EntryEvent,
    Event,
    GapTold,
    MessageDeleted,
    MessageEdited,
    Moderated,
    Posted,
    RoomJoined,
    RoomLeft,
    RosterChanged,
)
from roomkit.core.inputs import Input
from roomkit.core.room import Room
from roomkit.ids import ConnectionId, Position, RoomId
from roomkit.testing.laws import LawBroken
from roomkit.testing.laws.fold import compare_fold
from roomkit.testing.laws.truth import Truth
from roomkit.testing.model import comparable
from roomkit.testing.observer import Observer
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.world import Node

__all__ = ["Spoken"]

_ENTRY_EVENTS = (Posted, MessageEdited, MessageDeleted, RosterChanged, Moderated, Advanced)
_UNPLACED = Position(-1, "")


class Spoken(Observer):
    """Follows every connection of protocol 2 through the log, as far as its node sends it.

    Only rooms that moved are compared after a step.
    """

    sent_kinds = frozenset({*_ENTRY_EVENTS, RoomJoined, GapTold, RoomLeft})

    def __init__(self, truth: Truth, tally: Tally) -> None:
        self._truth = truth
        self._tally = tally
        self._places: dict[tuple[ConnectionId, RoomId], Position] = {}
        self._begun: dict[tuple[ConnectionId, RoomId], bool] = {}
        self._known: set[int] = set()
        self._tips: dict[str, dict[RoomId, str]] = {}
        self.told: Counter[tuple[RoomId, str]] = Counter()

    def sent(self, node: Node, connection: ConnectionId, event: Event) -> None:
        if isinstance(event, _ENTRY_EVENTS):
            self._follow(node, connection, event)
        elif type(event) is RoomJoined:
            self._begin(connection, event, node.protocols[connection])
        elif type(event) is GapTold:
            self._places[connection, event.room] = _UNPLACED
            self._tally.seen("gap while joined")
        elif type(event) is RoomLeft:
            self._places.pop((connection, event.room), None)

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        rooms = node.engine.state.rooms
        for (connection, room), recovered in self._begun.items():
            served = rooms.get(room)
            place = self._places.get((connection, room))
            if served is None or served.room is None or place is None or connection in node.closes:
                continue
            if place.seq != served.room.tip.seq:
                raise LawBroken(
                    2 if recovered else 5,
                    f"{connection} was brought to {place} of {room!r}; it is at {served.room.tip}",
                )
        self._begun.clear()
        self._known.clear()
        tips = self._tips.setdefault(node.name, {})
        for name, served in rooms.items():
            folded = served.room
            if folded is not None and tips.get(name) != folded.tip.link:
                tips[name] = folded.tip.link
                self._moved(node, folded)

    def _moved(self, node: Node, room: Room) -> None:
        """A node's room stands elsewhere than after the step before."""
        name = room.name
        model = self._truth.at(name, room.tip.link)
        if model is None:
            raise LawBroken(5, f"{node.name} folded an entry of {name!r} that nobody wrote")
        compare_fold(node, room, model)
        for connection in node.members.get(name, ()):
            if node.protocols[connection] == 2 and connection not in node.closes:
                place = self._places.get((connection, name))
                if place is None:
                    raise LawBroken(10, f"{connection} is in {name!r} without its snapshot")
                if place.seq != model.seq:
                    raise LawBroken(
                        1, f"{connection} was sent {name!r} up to {place}; it is at {model.seq}"
                    )

    def _follow(self, node: Node, connection: ConnectionId, event: EntryEvent) -> None:
        told = self._truth.told(event.room, event.link)
        if id(event) not in self._known:
            if told is None or comparable(event) != comparable(told.event):
                wanted = told.event if told is not None else None
                raise LawBroken(15, f"an entry was told as {event}, and it is {wanted}")
            self._known.add(id(event))
        if node.protocols[connection] == 1:
            return
        place = self._places.get((connection, event.room))
        if place is None or place == _UNPLACED:
            raise LawBroken(10, f"{connection} was sent {event} before the room's snapshot")
        if event.seq != place.seq + 1:
            raise LawBroken(1, f"{connection} was sent {event.seq} of {event.room!r} after {place}")
        if told is None or (place.seq and told.entry.prev != place.link):
            raise LawBroken(15, f"{connection} was sent {event}, which does not join on to {place}")
        self._places[connection, event.room] = Position(event.seq, event.link)
        self.told[event.room, event.link] += 1
        if self.told[event.room, event.link] == 2:
            self._tally.law(15)

    def _begin(self, connection: ConnectionId, event: RoomJoined, protocol: int) -> None:
        if protocol == 2:
            key = (connection, event.room)
            self._places[key] = event.position
            self._begun[key] = bool(event.recovered)
        if event.recovered:
            self._tally.law(2)
            self._tally.seen("recovered true")
            return
        if event.recovered is False:
            self._tally.seen("recovered false")
        model = self._truth.at(event.room, event.position.link)
        if model is None or model.seq != event.position.seq:
            raise LawBroken(5, f"{connection} was shown {event.room!r} as of {event.position}")
        self._tally.law(5)
        count = len(event.messages)
        wanted = model.messages[len(model.messages) - count :]
        occupants = {one.user_id: one for one in event.occupants}
        if event.messages != wanted or event.shown != model.shown:
            raise LawBroken(5, f"a snapshot has the messages {event.messages}, not {wanted}")
        if event.shown and occupants != model.views():
            raise LawBroken(5, f"a snapshot has the roster {occupants}, not {model.views()}")
        if not event.has_before and event.complete and count < len(model.messages):
            raise LawBroken(5, f"a snapshot has {count} messages and says that there are no others")
