"""What a client may wish for. Each command is the `data` of one wire frame; the union is closed.

These are the only values that can be decoded from bytes a client sent. What else drives the engine
lives in `inputs` and can never arrive over a socket. Lengths and ranges that depend on `Limits` are
judged by the engine; the wire checks only shapes.
"""

from __future__ import annotations

import msgspec

from roomkit.ids import Position

__all__ = [
    "Command",
    "DeleteMessage",
    "EditMessage",
    "GetHistory",
    "GetUsers",
    "Hello",
    "JoinRoom",
    "LeaveRoom",
    "Meta",
    "Ping",
    "Pong",
    "RoomCommand",
    "SendMessage",
    "SendSignal",
    "TypingStart",
    "TypingStop",
]

Meta = dict[str, object]
"""The host's own data, carried and never read: JSON object, 512 bytes and depth 4 by default."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """First frame of protocol 2. It is answered by the handshake and never reaches the engine.

    Attributes:
        protocol: 2.
        client: the client's name and version, for logs.
        features: optional behaviour asked for; unknown names are ignored.
        token: who: the host's own token, or a `guest_token` from an earlier `welcome`.
        session: which tab: the `session` of an earlier `welcome`.
        username: the name a guest would like.
    """

    protocol: int
    client: str = ""
    features: list[str] = []
    token: str | None = None
    session: str | None = None
    username: str | None = None


class JoinRoom(msgspec.Struct, frozen=True, kw_only=True):
    """Enter a room, or come back to it from a position."""

    room: str
    username: str | None = None
    ref: str | None = None
    since: Position | None = None
    history: int | None = None
    meta: Meta | None = None


class LeaveRoom(msgspec.Struct, frozen=True, kw_only=True):
    """Leave a room; without `room` (protocol 1) the current one."""

    room: str | None = None
    ref: str | None = None


class SendMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Post a message. `username` is read by nobody: identity is the server's."""

    message: str
    room: str | None = None
    username: str | None = None
    ref: str | None = None
    idempotency_key: str | None = None
    reply_to: str | None = None
    meta: Meta | None = None


class EditMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Give a message another text. `if_version`: only if it still is this version of it."""

    room: str
    id: str
    message: str
    if_version: int | None = None
    ref: str | None = None


class DeleteMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Leave nothing of a message but a tombstone. `reason` is told to everybody."""

    room: str
    id: str
    reason: str | None = None
    if_version: int | None = None
    ref: str | None = None


class TypingStart(msgspec.Struct, frozen=True, kw_only=True):
    """The user is typing; to be repeated while that lasts."""

    room: str | None = None
    username: str | None = None
    ref: str | None = None


class TypingStop(msgspec.Struct, frozen=True, kw_only=True):
    """The user stopped typing."""

    room: str | None = None
    username: str | None = None
    ref: str | None = None


class GetHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a page of messages: at most one of `before`, `after`, `around`; none means newest."""

    room: str
    before: int | None = None
    after: int | None = None
    around: int | None = None
    limit: int | None = None
    ref: str | None = None


class GetUsers(msgspec.Struct, frozen=True, kw_only=True):
    """Ask who is in a room: occupants whose `user_id` sorts after `after`, at most `limit`."""

    room: str
    after: str | None = None
    limit: int | None = None
    ref: str | None = None


class SendSignal(msgspec.Struct, frozen=True, kw_only=True):
    """Pass something on to whoever is in the room now. Never stored, first to be shed."""

    room: str
    name: str
    payload: object = None
    ref: str | None = None


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a `pong` with the same `t`."""

    t: int | None = None
    ref: str | None = None


class Pong(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to the server's `ping`."""

    t: int | None = None
    ref: str | None = None


RoomCommand = (
    JoinRoom
    | LeaveRoom
    | SendMessage
    | EditMessage
    | DeleteMessage
    | TypingStart
    | TypingStop
    | GetHistory
    | GetUsers
    | SendSignal
)
"""What is wished of a room; it waits in the room's queue if it must."""

Command = RoomCommand | Ping | Pong
