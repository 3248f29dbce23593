"""The pure client: `apply(view, frame, now)` folds what a server says into what a client knows.

The JavaScript client keeps the same rules; the shared vectors hold both to them. A view is a value:
nothing in it is ever changed, and what a frame does not touch is shared with the view before.
The rest of this file is what happens to a view without a frame.
"""

from __future__ import annotations

from typing import cast

from msgspec.structs import replace

from roomkit.client.deadlines import soonest
from roomkit.client.view_data import (
    Gap,
    Malformed,
    Message,
    Occupant,
    Pending,
    Problem,
    Record,
    RoomView,
    Typing,
    User,
    View,
    You,
    text_in,
)
from roomkit.client.view_room import KEPT_MESSAGES, cut_off, fold, paged

__all__ = [
    "KEPT_MESSAGES",
    "Gap",
    "Malformed",
    "Message",
    "Occupant",
    "Pending",
    "Problem",
    "RoomView",
    "Typing",
    "User",
    "View",
    "You",
    "apply",
    "cut",
    "expired",
    "joining",
    "left",
    "paged_in",
    "refused",
    "typing_until",
    "with_room",
]

_ANSWERS = frozenset({"ack", "error", "message_history", "room_users"})


def apply(view: View, frame: Record, now: int) -> View:
    """Return the view after a frame; the very same if the frame says nothing new.

    Args:
        frame: `{"type": ..., "data": {...}}`, as decoded from JSON. It is kept, not copied.
        now: the client's clock, ms; only differences matter.

    Raises:
        Malformed: no roomkit server sends this.
    """
    kind, data = text_in(frame, "type"), frame.get("data")
    if not isinstance(data, dict):
        raise Malformed("data must be an object")
    told = cast("Record", data)
    if kind == "welcome":
        return _welcomed(view, told)
    name = told.get("room")
    room = view.rooms.get(name) if isinstance(name, str) and kind not in _ANSWERS else None
    if room is None:
        return view
    user_id = view.user["user_id"] if view.user is not None else None
    return with_room(view, fold(room, kind, told, user_id, now))


def joining(view: View, room: str) -> View:
    """The application wants to be in a room; what is known of it from before is kept."""
    known = view.rooms.get(room)
    if known is None:
        return with_room(view, RoomView(room=room, state="joining"))
    return with_room(view, replace(known, state="joining", problem=None))


def left(view: View, room: str) -> View:
    """The application no longer wants to be in a room."""
    known = view.rooms[room]
    return with_room(view, replace(known, state="left", problem=None, typing=Typing()))


def refused(view: View, room: str, problem: Problem) -> View:
    """The server does not let us into a room."""
    known = view.rooms[room]
    return with_room(view, replace(known, state="refused", problem=problem, typing=Typing()))


def cut(view: View) -> View:
    """The connection is gone: rooms are to be joined again, what was said stays."""
    rooms = {name: cut_off(room) for name, room in view.rooms.items()}
    return replace(view, rooms=rooms)


def expired(view: View, now: int) -> View:
    """Forget typing that has run out, should the server's word for it be lost."""
    for room in view.rooms.values():
        if room.typing.until is not None and room.typing.until <= now:
            view = with_room(view, replace(room, typing=Typing()))
    return view


def typing_until(view: View) -> int | None:
    """Return when `expired` has next something to do, None if never."""
    return soonest(*[room.typing.until for room in view.rooms.values()])


def paged_in(view: View, room: str, data: Record, before: int) -> View:
    """Merge a page of older messages, as asked for with `before`.

    Raises:
        Malformed: the page cannot be read.
    """
    known = view.rooms[room]
    user_id = view.user["user_id"] if view.user is not None else None
    return with_room(view, paged(known, data, before, user_id))


def with_room(view: View, room: RoomView) -> View:
    """Return the view with this room in it."""
    if view.rooms.get(room.room) is room:
        return view
    return View(view.user, {**view.rooms, room.room: room})


def _welcomed(view: View, data: Record) -> View:
    user = data.get("user")
    if not isinstance(user, dict):
        raise Malformed("user must be an object")
    told = cast("Record", user)
    told_user = User(user_id=text_in(told, "user_id"), username=text_in(told, "username"))
    return view if view.user == told_user else View(told_user, view.rooms)
