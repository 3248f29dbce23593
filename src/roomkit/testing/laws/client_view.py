"""What a client of protocol 2 holds of its rooms: a reducer over what it is sent.

It believes only its frames, as the protocol page tells clients to, and refuses what a client could
not make sense of: a hole, a room it is not in, somebody who comes twice.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import ClassVar

from roomkit.core.events import (
    Advanced,
    Event,
    GapTold,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
    OccupancyCounted,
    OccupantView,
    Posted,
    RoomJoined,
    RoomLeft,
    RosterChanged,
    SignalSent,
    TypingStarted,
    TypingStopped,
)
from roomkit.ids import Position, RoomId, UserId
from roomkit.testing.laws.broken import LawBroken

__all__ = ["ClientView", "RoomView"]


@dataclass
class RoomView:
    """One room as a client has it.

    Attributes:
        live: its frames come now; else this is what is kept for coming back.
        gap: the server said that it cannot go on from here, and a snapshot must follow.
        typing: names, longest typing first.
        total: users in the room while the roster is not shown.
    """

    position: Position
    shown: bool
    roster: dict[UserId, OccupantView]
    messages: list[Message]
    typing: tuple[str, ...]
    total: int
    live: bool = True
    gap: bool = False

    def copy(self) -> RoomView:
        """Return a view that goes its own way from here."""
        twin = copy(self)
        twin.roster, twin.messages = dict(self.roster), list(self.messages)
        return twin


@dataclass
class ClientView:
    """A tab's rooms. `asked`: what each unanswered join with `since` would go on from, by ref."""

    rooms: dict[RoomId, RoomView] = field(default_factory=dict[RoomId, RoomView])
    asked: dict[str, RoomView] = field(default_factory=dict[str, RoomView])

    def apply(self, event: Event) -> None:
        """Take one event.

        Raises:
            LawBroken: it cannot come here (laws 1, 2, 8 and 10).
        """
        reduce = self._reducers.get(type(event))
        if reduce is not None:
            reduce(self, event)

    def disconnected(self) -> None:
        """Nothing comes any more; everything is kept."""
        self.asked.clear()
        for view in self.rooms.values():
            view.live = False

    def live(self, room: RoomId) -> RoomView | None:
        """Return a room whose frames come now."""
        view = self.rooms.get(room)
        return view if view is not None and view.live else None

    def _joined(self, event: RoomJoined) -> None:
        base = self.asked.pop(event.ref, None) if event.ref is not None else None
        _check_recovery(event, base.position if base is not None else None)
        if event.recovered:
            assert base is not None
            view = base.copy()
            view.live, view.gap, view.typing = True, False, event.typing
            self.rooms[event.room] = view
            return
        self.rooms[event.room] = RoomView(
            event.position,
            event.shown,
            {occupant.user_id: occupant for occupant in event.occupants},
            list(event.messages),
            event.typing,
            event.total,
        )

    def _gap(self, event: GapTold) -> None:
        self._room(event.room).gap = True

    def _left(self, event: RoomLeft) -> None:
        view = self.rooms.get(event.room)
        if view is not None:
            view.live = False

    def _advance(self, room: RoomId, seq: int, link: str) -> RoomView:
        view = self._room(room)
        if view.gap:
            raise LawBroken(1, f"seq {seq} of {room!r} came between a told gap and its snapshot")
        if seq != view.position.seq + 1:
            raise LawBroken(1, f"seq {seq} of {room!r} follows {view.position.seq}")
        view.position = Position(seq, link)
        return view

    def _room(self, room: RoomId) -> RoomView:
        view = self.live(room)
        if view is None:
            raise LawBroken(10, f"something of {room!r} came before its snapshot")
        return view

    def _advanced(self, event: Advanced) -> None:
        self._advance(event.room, event.seq, event.link)

    def _posted(self, event: Posted) -> None:
        self._advance(event.room, event.seq, event.link).messages.append(event.message)

    def _revised(self, event: MessageEdited | MessageDeleted) -> None:
        view, new = self._advance(event.room, event.seq, event.link), event.message
        for index, held in enumerate(view.messages):
            if held.seq == new.seq:
                if held.deleted is not None or new.version != held.version + 1:
                    raise LawBroken(16, f"{held} of {event.room!r} became {new}")
                view.messages[index] = new

    def _roster_changed(self, event: RosterChanged) -> None:
        view = self._advance(event.room, event.seq, event.link)
        if event.switched:
            view.shown, view.roster = event.shown, {}
        for gone in event.left:
            if view.roster.pop(gone.user_id, None) is None:
                raise LawBroken(8, f"{gone.user_id} left {event.room!r} without being there")
        for coming in event.joined:
            if coming.user_id in view.roster:
                raise LawBroken(8, f"{coming.user_id} joined {event.room!r} twice")
            view.roster[coming.user_id] = coming
        for changed in event.changed:
            present = view.roster.get(changed.user_id)
            if present is None:
                raise LawBroken(
                    8, f"{changed.user_id} changed in {event.room!r} without being there"
                )
            view.roster[changed.user_id] = OccupantView(
                present.user_id, present.username, changed.sessions, present.since, present.meta
            )

    def _moderated(self, event: Moderated) -> None:
        view = self._advance(event.room, event.seq, event.link)
        if event.removed and view.roster.pop(event.user_id, None) is None:
            raise LawBroken(8, f"{event.user_id} was put out of {event.room!r} without being there")

    def _typing(self, event: TypingStarted | TypingStopped) -> None:
        self._room(event.room).typing = event.users

    def _counted(self, event: OccupancyCounted) -> None:
        self._room(event.room).total = event.users

    def _signalled(self, event: SignalSent) -> None:
        self._room(event.room)

    _reducers: ClassVar[dict[type, Callable[..., None]]] = {
        RoomJoined: _joined,
        GapTold: _gap,
        RoomLeft: _left,
        Advanced: _advanced,
        Posted: _posted,
        MessageEdited: _revised,
        MessageDeleted: _revised,
        RosterChanged: _roster_changed,
        Moderated: _moderated,
        TypingStarted: _typing,
        TypingStopped: _typing,
        OccupancyCounted: _counted,
        SignalSent: _signalled,
    }


def _check_recovery(event: RoomJoined, since: Position | None) -> None:
    """What is said of the gap must fit what was asked."""
    if since is None:
        fits = event.recovered is None and event.gap_reason is None
    elif event.recovered:
        fits = event.position == since and not event.messages
    else:
        fits = (
            event.recovered is False
            and event.position != since
            and event.gap_reason in ("trimmed", "forked", "replay_limit")
            and event.gap_from == since.seq + 1
        )
    if not fits:
        raise LawBroken(2, f"asked to go on from {since}, was answered {event}")
