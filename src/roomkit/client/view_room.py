"""One room: what each frame of the server does to what is known of it.

Pure: a room and a frame give a new room. A frame that takes a place in the log moves the position
if it is the very next one; an older one is a repeat, and a later one tears the room (protocol page,
Entries and positions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from msgspec.structs import replace

from roomkit.client.view_data import (
    Gap,
    Message,
    Occupant,
    Problem,
    Record,
    RoomView,
    Typing,
    You,
    message_in,
    messages_in,
    names_in,
    records_in,
    text_in,
    whole_in,
)
from roomkit.client.view_pending import replaced, settled, shown_in
from roomkit.ids import Position

__all__ = ["KEPT_MESSAGES", "cut_off", "fold", "paged"]

KEPT_MESSAGES = 1_000
"""Messages a room holds as new ones come; paging older ones makes it hold more."""

_NOBODY = Typing()
_LEFT = {"kicked": "you were put out of this room: you may join again"}


def fold(room: RoomView, kind: str, data: Record, user_id: str | None, now: int) -> RoomView:
    """Return the room after a frame of it; the very same if it says nothing new.

    Args:
        kind: the frame's `type`.
        user_id: our own, to know our messages again.
        now: the client's clock, ms.

    Raises:
        Malformed: the frame cannot be read.
    """
    if kind == "room_joined":
        return _joined(room, data, user_id, now) if room.state in ("joining", "joined") else room
    if room.state != "joined" or room.position is None:
        return room
    if "seq" not in data or "link" not in data:
        unplaced = _UNPLACED.get(kind)
        return room if unplaced is None else unplaced(room, data, now)
    seq = whole_in(data, "seq")
    if seq <= room.position.seq:
        return room
    if seq > room.position.seq + 1:
        return cut_off(room)
    moved = replace(room, position=Position(seq, text_in(data, "link")))
    placed = _PLACED.get(kind)
    if placed is not None:
        moved = placed(moved, data)
    if not moved.pending:
        return moved
    shown = (
        shown_in((cast("Message", data),), user_id) if kind == "new_message" else frozenset[str]()
    )
    return settled(moved, shown)


def cut_off(room: RoomView) -> RoomView:
    """Nothing more of the room comes until it is joined again; what is known is kept."""
    return replace(room, state="joining", typing=_NOBODY) if room.state == "joined" else room


def paged(room: RoomView, data: Record, before: int, user_id: str | None) -> RoomView:
    """Return the room with a page of older messages merged in; of two versions the newer stays.

    A page that does not touch what is held changes nothing: it would leave a hole.

    Args:
        data: of the `message_history` that answers `get_history`.
        before: as it was asked.

    Raises:
        Malformed: the page cannot be read.
    """
    messages = messages_in(data)
    if before < room.held_from or room.position is None:
        return room
    held = {message["seq"]: message for message in messages if message["seq"] < before}
    for message in room.messages:
        other = held.get(message["seq"])
        if other is None or other.get("version", 1) <= message.get("version", 1):
            held[message["seq"]] = message
    merged = replace(room, messages=tuple(held[seq] for seq in sorted(held)))
    first = messages[0]["seq"] if messages else before
    if first <= room.held_from:
        merged = replace(
            merged,
            held_from=first,
            has_before=data.get("has_before") is True,
            complete=data.get("complete") is not False,
        )
    return settled(merged, shown_in(messages, user_id)) if room.pending else merged


# Entering and leaving


def _joined(room: RoomView, data: Record, user_id: str | None, now: int) -> RoomView:
    """With `recovered: true` all stays and a replay follows; else the snapshot replaces it."""
    position = Position(whole_in(data, "seq"), text_in(data, "link"))
    recovered = data.get("recovered")
    if recovered is True and (room.position is None or room.position.seq < position.seq):
        return replace(room, state="joining", position=None)
    here = replace(
        room,
        state="joined",
        problem=None,
        recovered=recovered if isinstance(recovered, bool) else None,
        gap=_gap(data.get("gap")),
        you=_you(data.get("you")),
        typing=_typing_now(data.get("typing"), now),
        pending=tuple(
            replace(one, state="sending", seq=None) if one.state == "sent" else one
            for one in room.pending
        ),
    )
    if recovered is True:
        return here
    messages = messages_in(data)
    fresh = replace(
        here,
        position=position,
        roster="off" if data.get("roster") == "off" else "on",
        occupants=_occupants(data, "occupants"),
        total=whole_in(data, "total"),
        messages=messages,
        held_from=messages[0]["seq"] if messages else position.seq + 1,
        has_before=data.get("has_before") is True,
        complete=data.get("complete") is not False,
    )
    return replaced(fresh, shown_in(messages, user_id))


def _room_gap(room: RoomView, data: Record, now: int) -> RoomView:
    return replace(cut_off(room), gap=Gap(text_in(data, "reason")))


def _room_left(room: RoomView, data: Record, now: int) -> RoomView:
    reason = text_in(data, "reason")
    problem = None if reason == "left" else Problem(reason, _LEFT.get(reason, reason))
    return replace(room, state="left", problem=problem, typing=_NOBODY)


def _gap(gap: object) -> Gap | None:
    if not isinstance(gap, dict):
        return None
    told = cast("Record", gap)
    return Gap(text_in(told, "reason"), whole_in(told, "from_seq") if "from_seq" in told else None)


def _you(you: object) -> You | None:
    if not isinstance(you, dict):
        return None
    told = cast("Record", you)
    names_in(told, "can")
    text_in(told, "role")
    return cast("You", you)


# Messages


def _new_message(room: RoomView, data: Record) -> RoomView:
    message = message_in(data)
    messages = (*room.messages, message)
    typing = _quieted(room.typing, (message["username"],))
    if len(messages) <= max(KEPT_MESSAGES, len(room.messages)):
        return replace(room, messages=messages, typing=typing)
    messages = messages[1:]
    held_from = messages[0]["seq"]
    return replace(room, messages=messages, typing=typing, held_from=held_from, has_before=True)


def _message_edited(room: RoomView, data: Record) -> RoomView:
    text, edited = text_in(data, "message"), text_in(data, "timestamp")

    def revise(message: Message, version: int) -> Message:
        return {**message, "message": text, "version": version, "edited": edited}

    return _revised(room, data, revise)


def _message_deleted(room: RoomView, data: Record) -> RoomView:
    deleted = text_in(data, "timestamp")

    def revise(message: Message, version: int) -> Message:
        dropped = ("meta", "reply_to", "edited")
        stone = {name: value for name, value in message.items() if name not in dropped}
        return cast("Message", {**stone, "message": "", "version": version, "deleted": deleted})

    return _revised(room, data, revise)


def _revised(room: RoomView, data: Record, revise: Callable[[Message, int], Message]) -> RoomView:
    """Put a message in its new form, if it is held and what is held is older."""
    id_, version = text_in(data, "id"), whole_in(data, "version")
    messages = room.messages
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message["id"] == id_:
            if message.get("version", 1) >= version or "deleted" in message:
                return room
            revised = revise(message, version)
            return replace(room, messages=(*messages[:index], revised, *messages[index + 1 :]))
    return room


# People


def _roster_changed(room: RoomView, data: Record) -> RoomView:
    if data.get("shown") is not True:
        return replace(room, roster="off", occupants=())
    came = _occupants(data, "joined")
    gone = records_in(data, "left", "user_id", "username")
    sessions = {
        one["user_id"]: whole_in(one, "sessions") for one in records_in(data, "changed", "user_id")
    }
    moved = {one["user_id"] for one in gone} | {one["user_id"] for one in came}
    stay = () if data.get("switched") is True else room.occupants
    occupants = [
        cast("Occupant", {**one, "sessions": sessions[one["user_id"]]})
        if one["user_id"] in sessions
        else one
        for one in stay
        if one["user_id"] not in moved
    ]
    occupants += came
    return replace(
        room,
        roster="on",
        occupants=tuple(occupants),
        total=len(occupants),
        typing=_quieted(room.typing, [cast("str", one["username"]) for one in gone]),
    )


def _user_moderated(room: RoomView, data: Record) -> RoomView:
    user_id, username = text_in(data, "user_id"), text_in(data, "username")
    if data.get("removed") is not True:
        return room
    occupants = tuple(one for one in room.occupants if one["user_id"] != user_id)
    typing = _quieted(room.typing, (username,))
    total = len(occupants) if room.roster == "on" else room.total
    return replace(room, occupants=occupants, total=total, typing=typing)


def _occupancy(room: RoomView, data: Record, now: int) -> RoomView:
    return room if room.roster == "on" else replace(room, total=whole_in(data, "users"))


def _occupants(data: Record, name: str) -> tuple[Occupant, ...]:
    occupants = records_in(data, name, "user_id", "username")
    for one in occupants:
        whole_in(one, "sessions")
    return cast("tuple[Occupant, ...]", tuple(occupants))


# Typing


def _typing(room: RoomView, data: Record, now: int) -> RoomView:
    return replace(room, typing=_typing_now(data, now))


def _typing_now(data: object, now: int) -> Typing:
    if not isinstance(data, dict):
        return _NOBODY
    told = cast("Record", data)
    users, total = names_in(told, "users"), whole_in(told, "total")
    return Typing(users, total, now + whole_in(told, "expires_ms")) if total else _NOBODY


def _quieted(typing: Typing, usernames: Iterable[str]) -> Typing:
    """Nobody is still typing after their message or their leaving, whatever is yet to be told."""
    gone = {name for name in usernames if name in typing.users}
    if not gone:
        return typing
    users = tuple(name for name in typing.users if name not in gone)
    total = typing.total - (len(typing.users) - len(users))
    return Typing(users, total, typing.until) if total > 0 else _NOBODY


_PLACED: dict[str, Callable[[RoomView, Record], RoomView]] = {
    "new_message": _new_message,
    "message_edited": _message_edited,
    "message_deleted": _message_deleted,
    "roster_changed": _roster_changed,
    "user_moderated": _user_moderated,
}
_UNPLACED: dict[str, Callable[[RoomView, Record, int], RoomView]] = {
    "room_gap": _room_gap,
    "room_left": _room_left,
    "user_typing": _typing,
    "user_stopped_typing": _typing,
    "occupancy": _occupancy,
}
