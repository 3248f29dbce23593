"""A person with one tab: what was sent, what was answered, and the room as the tab has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from roomkit.core.commands import JoinRoom
from roomkit.core.events import Acked, Event, Failure
from roomkit.core.inputs import Connected, Input, Opened, Received
from roomkit.errors import CloseCode
from roomkit.ids import ConnectionId, Position, RequestId, SessionId
from roomkit.testing.laws import ClientView, LawBroken
from roomkit.testing.small_worlds.plots import PEOPLE, ROOM, Kick, Plot, author_of

__all__ = ["AWAY", "Person"]

AWAY = -1
"""The node of somebody who is not connected."""

_BACK = "back"


@dataclass(slots=True)
class Person:
    """One person, between two moves.

    Attributes:
        number: 0 for alice, 1 for bob.
        node: to which of the nodes the tab is connected, or `AWAY`.
        connections: how many there have been.
        begun: commands of the plot that were sent at least once.
        sent: those sent on this connection and not answered.
        again: those to be sent again, before the others.
        answers: by command: the entry it was acknowledged as, or in a word what came back.
        tabs: how often the session was new: 1, and once more each time it was told to forget it.
        inside: it was in the room, or entering it again, when the connection was lost.
        coming: it is entering again, and not answered.
    """

    number: int
    node: int = AWAY
    connections: int = 0
    begun: int = 0
    sent: list[int] = field(default_factory=list[int])
    again: list[int] = field(default_factory=list[int])
    answers: dict[int, Position | str] = field(default_factory=dict[int, "Position | str"])
    tabs: int = 1
    inside: bool = False
    coming: bool = False
    view: ClientView = field(default_factory=ClientView)

    @property
    def name(self) -> str:
        return PEOPLE[self.number].username

    @property
    def connection(self) -> ConnectionId:
        return ConnectionId(f"{self.name}-{self.connections}")

    def next_command(self, plot: Plot) -> int | None:
        """Return the index of what would be sent now, None if nothing is left."""
        if self.again:
            return self.again[0]
        return self.begun if self.begun < len(plot.wishes(self.number)) else None

    def send(self, plot: Plot, first: str) -> Input:
        """Send the next command; there must be one."""
        index = self.next_command(plot)
        assert index is not None, "somebody who has nothing to say was asked to speak"
        if self.again:
            self.again.pop(0)
        else:
            self.begun += 1
        self.sent.append(index)
        return plot.input(self.number, index, self.connection, first)

    def connect(self, node: int, *, enter: bool) -> tuple[Input, ...]:
        """Connect to a node, under the same session; enter, or come back from where it was."""
        self.node = node
        self.connections += 1
        connection, user = self.connection, PEOPLE[self.number]
        opened = Opened(connection, 2, user, SessionId(f"{self.name}'s {self.tabs}"))
        inputs: tuple[Input, ...] = (Connected(connection), opened)
        if not (enter or self.inside):
            return inputs
        base = self.view.rooms.get(ROOM)
        if base is not None:
            self.view.asked[_BACK] = base.copy()
        self.coming = True
        since = base.position if base is not None else None
        return (*inputs, Received(connection, JoinRoom(room=ROOM, ref=_BACK, since=since)))

    def cut_off(self, plot: Plot, code: int | None = None) -> None:
        """The node died, or closed the connection: what it never answered is to be sent again.

        But for what the host was asked. Whoever is told 4005 forgets the session.
        """
        self.tabs += code == CloseCode.SESSION_REPLACED
        view = self.view.live(ROOM)
        self.inside = self.coming or (view is not None and view.live)
        self.coming = False
        self.view.disconnected()
        self.node = AWAY
        wishes = plot.wishes(self.number)
        for index in self.sent:
            if isinstance(wishes[index], Kick):
                self.answers[index] = "never"
            else:
                self.again.append(index)
        self.again.sort()
        self.sent = []

    def hear(self, events: Sequence[Event]) -> None:
        """Take what the connection brings.

        Raises:
            LawBroken: it cannot come here.
        """
        for event in events:
            self.view.apply(event)
            ref: str | None = getattr(event, "ref", None)
            if ref == _BACK and self.coming:
                self.coming = False
            elif ref is not None:
                self._answered(int(ref) if ref.isdigit() else -1, event)

    def host_heard(self, request: RequestId, event: Event) -> None:
        """Take the outcome of what the host was asked, if it was this person's."""
        person, index = author_of(request)
        if person == self.number:
            self._answered(index, event)

    def _answered(self, index: int, event: Event) -> None:
        if index not in self.sent:
            raise LawBroken(12, f"{self.name} was answered {event} once more, or without asking")
        self.sent.remove(index)
        if isinstance(event, Acked) and event.position is not None:
            self.answers[index] = event.position
        elif isinstance(event, Failure):
            self.answers[index] = str(event.code)
        else:
            self.answers[index] = "done"
