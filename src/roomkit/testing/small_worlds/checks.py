"""The laws, at every state: the checkers of `roomkit.testing.laws`, asked of one state at a time.

Each answer depends on some parts of a state only, and is looked up when the same parts meet again.
The log of a small world is whole, so what it says of order, keys and control facts (laws 3, 13 and
16) is read from it, not watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from roomkit.core.effects import Append
from roomkit.core.events import Event, MessageDeleted, MessageEdited, Posted
from roomkit.core.inputs import Tick
from roomkit.core.storage import Nonce, Stored
from roomkit.ids import ConnectionId, NodeId, Position, message_id
from roomkit.testing.laws import LawBroken
from roomkit.testing.laws.presence import Presence
from roomkit.testing.laws.truth import Told, Truth
from roomkit.testing.laws.views import Views
from roomkit.testing.small_worlds.person import AWAY, Person
from roomkit.testing.small_worlds.plots import PEOPLE, ROOM, Plot, spoken
from roomkit.testing.small_worlds.shelves import Copies
from roomkit.testing.small_worlds.stage import Stage

__all__ = ["Checks"]

_SOMEBODY = ConnectionId("somebody")


class Checks:
    """Every check there is, for one plot."""

    def __init__(self, stage: Stage, people: Copies[Person], plot: Plot) -> None:
        self._stage = stage
        self._people = people
        self._plot = plot
        self._texts = {
            text: (person, index)
            for person in range(len(PEOPLE))
            for index, wish in enumerate(plot.wishes(person))
            if (text := spoken(wish)) is not None
        }
        self._truths: dict[int, Truth] = {}
        self._held: set[tuple[int, ...]] = set()

    def told(self, telling: int, room: int) -> None:
        """Check what a connection is told: each event is an entry as it is (law 15)."""
        if self._is_new(0, telling, room):
            views, node = Views(self._truth(room)), self._stage.world.nodes[0]
            for event in self._stage.tellings.get(telling):
                views.sent(node, _SOMEBODY, event)

    def node(self, index: int, number: int, room: int, people: Sequence[int]) -> None:
        """Check a node's fold and its people's views against the log (laws 1, 2, 5, 7, 10, 15).

        Args:
            people: those who are connected to it.
        """
        if self._is_new(1, index, number, room, *people):
            node = self._stage.stand(index, number)
            self._views(index, room, people).stepped(node, Tick(), ())

    def person(self, number: int, room: int) -> None:
        """Check that what was acknowledged is in the log, and is what was sent (law 4)."""
        if not self._is_new(2, number, room):
            return
        person, truth = self._people.copy(number), self._truth(room)
        for index, answer in person.answers.items():
            if not isinstance(answer, Position):
                continue
            told = truth.told(ROOM, answer.link)
            text = spoken(self._plot.wishes(person.number)[index])
            if told is None or told.entry.seq != answer.seq:
                raise LawBroken(4, f"{person.name}'s command {index} was acknowledged as {answer}")
            event = told.event
            if text is not None and not (
                isinstance(event, Posted | MessageEdited) and event.message.text == text
            ):
                raise LawBroken(3, f"{text!r} by {person.name} was acknowledged as {event}")

    def at_rest(self, nodes: Sequence[int | None], room: int, people: Sequence[int]) -> None:
        """Check a world in which nothing moves any more, however long one waits.

        Args:
            nodes: None for one that died.

        Raises:
            LawBroken: somebody waits (law 12), or does not see the room as it is (laws 6 and 9).
        """
        if not self._is_new(3, *(-1 if node is None else node for node in nodes), room, *people):
            return
        for number in people:
            person = self._people.copy(number)
            if person.node == AWAY or person.sent or person.coming:
                waited = person.sent or "the room"
                raise LawBroken(12, f"{person.name} still waits for {waited} to be answered")
        living = [
            self._stage.stand(index, node) for index, node in enumerate(nodes) if node is not None
        ]
        truth = self._truth(room)
        views = self._views(None, room, people)
        views.converged(living)
        Presence(truth, self._stage.limits, self._stage.world.clock).rested(living)

    def log(self, room: int) -> None:
        """Check the log by itself (laws 3, 13 and 16)."""
        if not self._is_new(4, room):
            return
        log = self._truth(room).logs[ROOM]
        keys: set[tuple[str, str]] = set()
        newest = [-1] * len(PEOPLE)
        for before, told in pairwise(log):
            event = told.event
            if isinstance(event, Posted):
                message = event.message
                name = (message.user_id, message.idempotency_key or message.text)
                if name in keys:
                    raise LawBroken(3, f"{message} is in the log for the second time")
                keys.add(name)
                if message.user_id not in before.room.roster:
                    raise LawBroken(16, f"{message} is by somebody who is not in the room")
            elif isinstance(event, MessageEdited | MessageDeleted):
                _check_revision(before, event)
            self._check_order(event, newest)

    def first(self, room: int) -> str:
        """Return the id of the room's first message."""
        return message_id(self._truth(room).logs[ROOM][0].entry.position)

    def _check_order(self, event: Event, newest: list[int]) -> None:
        if not isinstance(event, Posted | MessageEdited):
            return
        found = self._texts.get(event.message.text)
        if found is None:
            return
        person, index = found
        if index <= newest[person]:
            raise LawBroken(13, f"{event.message} is in the log after what was sent later")
        newest[person] = index

    def _is_new(self, *key: int) -> bool:
        if key in self._held:
            return False
        self._held.add(key)
        return True

    def _views(self, index: int | None, room: int, people: Sequence[int]) -> Views:
        views = Views(self._truth(room))
        for number in people:
            person = self._people.copy(number)
            if person.node != AWAY and index in (None, person.node):
                views.clients[person.connection] = person.view
        return views

    def _truth(self, room: int) -> Truth:
        truth = self._truths.get(room)
        if truth is None:
            truth = self._truths[room] = Truth()
            entries = self._stage.rooms.copy(room).after(0)
            append = Append(ROOM, Nonce(NodeId(""), 0), "", (), False)
            truth.appended(self._stage.world.nodes[0], append, Stored(entries))
        return truth


def _check_revision(before: Told, event: MessageEdited | MessageDeleted) -> None:
    """Each version follows the one before, and nothing follows a tombstone."""
    new = event.message
    old = next((one for one in before.room.messages if one.seq == new.seq), None)
    if old is None or old.deleted is not None or new.version != old.version + 1:
        raise LawBroken(16, f"{new} follows {old}")
