"""What a view is made of: the values the client keeps, and the server's data as it was sent.

Values the client makes are frozen Structs. What the server said of messages and occupants is kept
as it came, keys this version does not know included, so that a newer server loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict, cast

import msgspec

from roomkit.ids import Position

__all__ = [
    "Gap",
    "Malformed",
    "Message",
    "Occupant",
    "Pending",
    "Problem",
    "Record",
    "Refusal",
    "RoomState",
    "RoomView",
    "Typing",
    "User",
    "View",
    "You",
    "message_in",
    "messages_in",
    "names_in",
    "records_in",
    "refusal_in",
    "text_in",
    "whole_in",
]

Record = Mapping[str, object]
"""A JSON object, as a frame's `data` is one."""

RoomState = Literal["joining", "joined", "left", "refused"]


class User(TypedDict):
    """Who the server says we are."""

    user_id: str
    username: str


class You(TypedDict):
    """What we are in a room; `can` names what the host's policy allows there."""

    role: str
    can: list[str]


class Message(TypedDict):
    """A message in its present form (protocol page, Messages)."""

    room: str
    seq: int
    link: str
    id: str
    username: str
    message: str
    timestamp: str
    type: str
    user_id: NotRequired[str]
    idempotency_key: NotRequired[str]
    reply_to: NotRequired[str]
    meta: NotRequired[dict[str, object]]
    version: NotRequired[int]
    edited: NotRequired[str]
    deleted: NotRequired[str]


class Occupant(TypedDict):
    """A user in a room."""

    user_id: str
    username: str
    sessions: int
    since: NotRequired[str]
    meta: NotRequired[dict[str, object]]


class Problem(msgspec.Struct, frozen=True):
    """Why something did not happen.

    Attributes:
        code: an error code of the protocol, or one of the client's own (`roomkit.client.asks`).
        message: for people.
    """

    code: str
    message: str


class Refusal(msgspec.Struct, frozen=True):
    """What an `error` says.

    Attributes:
        retryable: the same may succeed later, `retry_after_ms` from now if the server knows.
    """

    problem: Problem
    retryable: bool
    retry_after_ms: int | None


class Gap(msgspec.Struct, frozen=True, omit_defaults=True):
    """Frames of a room were lost for good.

    Attributes:
        reason: trimmed, forked or replay_limit.
        from_seq: the first seq that was missed, if it was told.
    """

    reason: str
    from_seq: int | None = None


class Typing(msgspec.Struct, frozen=True):
    """Who is typing.

    Attributes:
        users: up to 20 names; one's own may be among them.
        total: how many are typing.
        until: when to forget them (the client's clock, ms), None if nobody is.
    """

    users: tuple[str, ...] = ()
    total: int = 0
    until: int | None = None


class Pending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message of ours that the room does not show yet.

    Attributes:
        key: its idempotency key.
        state: "sending" (also while offline), "sent" (acknowledged, not shown yet) or "failed".
        at: when it was asked for (the client's clock, ms).
        problem: why it failed.
        seq: of its entry, once acknowledged.
    """

    key: str
    message: str
    state: Literal["sending", "sent", "failed"]
    at: int
    reply_to: str | None = None
    meta: Record | None = None
    problem: Problem | None = None
    seq: int | None = None


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """One room as this client knows it.

    Attributes:
        state: "joining" until a snapshot or a recovery, and again after a cut; "left" after
            leaving or being put out; "refused" if the join was.
        problem: why it is refused, or left without having asked to.
        position: of the last entry applied; kept over a cut, to resume from.
        recovered: what the last `room_joined` said: True if nothing was missed, False if what was
            known has been replaced, None at a first join.
        gap: what was lost, with `recovered` False or after `room_gap`.
        roster: "off" in a room with too many users to list; then `occupants` is empty.
        occupants: in order of arrival.
        total: users in the room.
        messages: oldest first, without holes from `held_from` on.
        held_from: every message with this seq or a later one is held; page older ones before it.
        has_before: older messages exist.
        complete: False if retention removed messages just before the oldest held.
        pending: our own messages on their way that the room does not show, in sending order.
        unconfirmed: those that it shows, and whose `ack` has not come; sent again after a cut,
            since only the `ack` says that the store keeps them.
    """

    room: str
    state: RoomState
    problem: Problem | None = None
    position: Position | None = None
    recovered: bool | None = None
    gap: Gap | None = None
    you: You | None = None
    roster: Literal["on", "off"] = "on"
    occupants: tuple[Occupant, ...] = ()
    total: int = 0
    messages: tuple[Message, ...] = ()
    held_from: int = 1
    has_before: bool = False
    complete: bool = True
    typing: Typing = Typing()
    pending: tuple[Pending, ...] = ()
    unconfirmed: tuple[Pending, ...] = ()


class View(msgspec.Struct, frozen=True):
    """Everything a client knows. Its JSON (`msgspec.json.encode`) is what the vectors compare.

    Attributes:
        user: who we are, None before the first `welcome`.
        rooms: by name, in the order they were first joined. Never changed in place.
    """

    user: User | None = None
    rooms: dict[str, RoomView] = {}


# Reading what may be anything


class Malformed(ValueError):
    """A frame no roomkit server sends; the message says what is wrong with it."""


def text_in(data: Record, name: str) -> str:
    """Return a string. Raises: Malformed."""
    value = data.get(name)
    if isinstance(value, str):
        return value
    raise Malformed(f"{name} must be a string")


def whole_in(data: Record, name: str) -> int:
    """Return a whole number of 0 or more. Raises: Malformed."""
    value = data.get(name)
    if isinstance(value, int) and value is not True and value is not False and value >= 0:
        return value
    raise Malformed(f"{name} must be a whole number")


def names_in(data: Record, name: str) -> tuple[str, ...]:
    """Return a list of strings. Raises: Malformed."""
    value = data.get(name)
    if isinstance(value, list):
        items = cast("list[object]", value)
        found = tuple(item for item in items if isinstance(item, str))
        if len(found) == len(items):
            return found
    raise Malformed(f"{name} must be a list of strings")


def records_in(data: Record, name: str, *needed: str) -> list[Record]:
    """Return a list of objects, each with these strings in it. Raises: Malformed."""
    value = data.get(name)
    if not isinstance(value, list):
        raise Malformed(f"{name} must be a list of objects")
    for item in cast("list[object]", value):
        if not isinstance(item, dict):
            raise Malformed(f"{name} must be a list of objects")
        for field in needed:
            text_in(cast("Record", item), field)
    return cast("list[Record]", value)


def refusal_in(data: Record) -> Refusal:
    """Return what an `error` says. Raises: Malformed."""
    return Refusal(
        Problem(text_in(data, "code"), text_in(data, "message")),
        data.get("retryable") is True,
        whole_in(data, "retry_after_ms") if "retry_after_ms" in data else None,
    )


def messages_in(data: Record) -> tuple[Message, ...]:
    """Return the messages of a snapshot or a page, oldest first. Raises: Malformed."""
    messages = tuple(message_in(item) for item in records_in(data, "messages"))
    last = 0
    for message in messages:
        if message["seq"] <= last:
            raise Malformed("messages must be in the order of their seq")
        last = message["seq"]
    return messages


def message_in(data: Record) -> Message:
    """Return a message. Raises: Malformed."""
    whole_in(data, "seq")
    for name in ("id", "message", "username"):
        text_in(data, name)
    if "version" in data:
        whole_in(data, "version")
    if "idempotency_key" in data:
        text_in(data, "idempotency_key")
    return cast("Message", data)
