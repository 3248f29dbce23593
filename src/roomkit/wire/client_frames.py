"""What a client may send in protocol 2: `hello` first, then one frame per command.

The types are the published schema (`roomkit.wire.schema`), so their docstrings are read by people
who write clients. Those of protocol 1 are in `legacy`.
"""

from __future__ import annotations

from roomkit.core.commands import (
    DeleteMessage,
    EditMessage,
    GetHistory,
    GetUsers,
    Hello,
    JoinRoom,
    LeaveRoom,
    Ping,
    Pong,
    SendMessage,
    SendSignal,
    TypingStart,
    TypingStop,
)
from roomkit.wire.envelope import Frame

__all__ = [
    "ClientFrame",
    "DeleteMessageFrame",
    "EditMessageFrame",
    "GetHistoryFrame",
    "GetUsersFrame",
    "HelloFrame",
    "JoinRoomFrame",
    "LeaveRoomFrame",
    "PingFrame",
    "PongFrame",
    "SendMessageFrame",
    "SendSignalFrame",
    "TypingStartFrame",
    "TypingStopFrame",
]


class HelloFrame(Frame, frozen=True, tag="hello"):
    """The first frame of protocol 2, answered by `welcome`."""

    data: Hello


class JoinRoomFrame(Frame, frozen=True, tag="join_room"):
    """Answered by `room_joined`; what follows it is live."""

    data: JoinRoom


class LeaveRoomFrame(Frame, frozen=True, tag="leave_room"):
    """Answered by `room_left`."""

    data: LeaveRoom = LeaveRoom()


class SendMessageFrame(Frame, frozen=True, tag="send_message"):
    """Answered by `ack`, after the message is stored."""

    data: SendMessage


class EditMessageFrame(Frame, frozen=True, tag="edit_message"):
    """Answered by `ack`, after the new text is stored; `version_conflict` if it is another one."""

    data: EditMessage


class DeleteMessageFrame(Frame, frozen=True, tag="delete_message"):
    """Answered by `ack`, after the tombstone is stored."""

    data: DeleteMessage


class TypingStartFrame(Frame, frozen=True, tag="typing_start"):
    """Shown to others as `user_typing`."""

    data: TypingStart = TypingStart()


class TypingStopFrame(Frame, frozen=True, tag="typing_stop"):
    """Shown to others as `user_stopped_typing`."""

    data: TypingStop = TypingStop()


class GetHistoryFrame(Frame, frozen=True, tag="get_history"):
    """Answered by `message_history`."""

    data: GetHistory


class GetUsersFrame(Frame, frozen=True, tag="get_users"):
    """Answered by `room_users`."""

    data: GetUsers


class SendSignalFrame(Frame, frozen=True, tag="send_signal"):
    """Shown to everybody in the room as `signal`."""

    data: SendSignal


class PingFrame(Frame, frozen=True, tag="ping"):
    """Answered by `pong`."""

    data: Ping = Ping()


class PongFrame(Frame, frozen=True, tag="pong"):
    """Answers the server's `ping`; nothing answers it."""

    data: Pong = Pong()


ClientFrame = (
    JoinRoomFrame
    | LeaveRoomFrame
    | SendMessageFrame
    | EditMessageFrame
    | DeleteMessageFrame
    | TypingStartFrame
    | TypingStopFrame
    | GetHistoryFrame
    | GetUsersFrame
    | SendSignalFrame
    | PingFrame
    | PongFrame
)
"""Every frame of protocol 2 after `hello`. A frame without `data` may have it left out whole."""
