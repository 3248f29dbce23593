"""What a client may send in protocol 1: five types, whose `data` becomes a command.

`ref`, `since` and `history` belong to protocol 2: they are not even looked at here. The types are
the published schema (`roomkit.wire.schema`): their docstrings are read by people who write clients.
"""

from __future__ import annotations

import msgspec

from roomkit.core.commands import (
    Command,
    JoinRoom,
    LeaveRoom,
    Meta,
    SendMessage,
    TypingStart,
    TypingStop,
)
from roomkit.wire.envelope import Frame

__all__ = [
    "LegacyData",
    "LegacyFrame",
    "LegacyJoinRoom",
    "LegacyJoinRoomFrame",
    "LegacyLeaveRoom",
    "LegacyLeaveRoomFrame",
    "LegacySendMessage",
    "LegacySendMessageFrame",
    "LegacyTypingStart",
    "LegacyTypingStartFrame",
    "LegacyTypingStop",
    "LegacyTypingStopFrame",
]


class LegacyData(msgspec.Struct, frozen=True, kw_only=True):
    """`room` and `username` may be left out once a room is joined."""

    username: str | None = None

    def command(self) -> Command:
        """Return what the client wishes."""
        raise NotImplementedError


class LegacyJoinRoom(LegacyData, frozen=True, kw_only=True):
    """Enter a room, and leave the one before once that has worked."""

    room: str
    meta: Meta | None = None

    def command(self) -> Command:
        return JoinRoom(room=self.room, username=self.username, meta=self.meta)


class LegacyLeaveRoom(LegacyData, frozen=True, kw_only=True):
    """Leave the room."""

    room: str | None = None

    def command(self) -> Command:
        return LeaveRoom(room=self.room)


class LegacySendMessage(LegacyData, frozen=True, kw_only=True):
    """Post a message."""

    message: str
    room: str | None = None
    idempotency_key: str | None = None
    reply_to: str | None = None
    meta: Meta | None = None

    def command(self) -> Command:
        return SendMessage(
            message=self.message,
            room=self.room,
            username=self.username,
            idempotency_key=self.idempotency_key,
            reply_to=self.reply_to,
            meta=self.meta,
        )


class LegacyTypingStart(LegacyData, frozen=True, kw_only=True):
    """The user is typing; to be repeated while that lasts."""

    room: str | None = None

    def command(self) -> Command:
        return TypingStart(room=self.room, username=self.username)


class LegacyTypingStop(LegacyData, frozen=True, kw_only=True):
    """The user stopped typing."""

    room: str | None = None

    def command(self) -> Command:
        return TypingStop(room=self.room, username=self.username)


class LegacyJoinRoomFrame(Frame, frozen=True, tag="join_room"):
    """Answered by `message_history` and `room_users`; what follows them is live."""

    data: LegacyJoinRoom


class LegacyLeaveRoomFrame(Frame, frozen=True, tag="leave_room"):
    """Shown to others as `user_left`."""

    data: LegacyLeaveRoom = LegacyLeaveRoom()


class LegacySendMessageFrame(Frame, frozen=True, tag="send_message"):
    """Shown to everybody in the room, its author too, as `new_message`."""

    data: LegacySendMessage


class LegacyTypingStartFrame(Frame, frozen=True, tag="typing_start"):
    """Shown to others as `user_typing`."""

    data: LegacyTypingStart = LegacyTypingStart()


class LegacyTypingStopFrame(Frame, frozen=True, tag="typing_stop"):
    """Shown to others as `user_stopped_typing`."""

    data: LegacyTypingStop = LegacyTypingStop()


LegacyFrame = (
    LegacyJoinRoomFrame
    | LegacyLeaveRoomFrame
    | LegacySendMessageFrame
    | LegacyTypingStartFrame
    | LegacyTypingStopFrame
)
