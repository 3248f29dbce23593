"""Which frames belong to which protocol, in each direction."""

from __future__ import annotations

from typing import get_args

from roomkit.wire import connection_frames as connection
from roomkit.wire import people_frames as people
from roomkit.wire import room_frames as room
from roomkit.wire.client_frames import ClientFrame, HelloFrame
from roomkit.wire.envelope import Frame
from roomkit.wire.legacy_frames import LegacyFrame

__all__ = ["FROM_CLIENT", "FROM_SERVER"]

FROM_CLIENT: dict[int, tuple[type[Frame], ...]] = {
    1: get_args(LegacyFrame),
    2: (HelloFrame, *get_args(ClientFrame)),
}

FROM_SERVER: dict[int, tuple[type[Frame], ...]] = {
    1: (
        room.MessageHistoryFrame,
        people.RoomUsersFrame,
        people.UserJoinedFrame,
        people.UserLeftFrame,
        room.NewMessageFrame,
        people.UserTypingFrame,
        people.UserStoppedTypingFrame,
        connection.ErrorFrame,
    ),
    2: (
        connection.WelcomeFrame,
        connection.ServerPingFrame,
        connection.ServerPongFrame,
        connection.AckFrame,
        connection.ErrorFrame,
        connection.ReconnectFrame,
        room.RoomJoinedFrame,
        room.RoomLeftFrame,
        room.RoomGapFrame,
        room.RoomAdvancedFrame,
        room.NewMessageFrame,
        room.MessageEditedFrame,
        room.MessageDeletedFrame,
        room.MessageHistoryFrame,
        room.SignalFrame,
        people.RosterChangedFrame,
        people.RoomUsersFrame,
        people.UserModeratedFrame,
        people.OccupancyFrame,
        people.UserTypingFrame,
        people.UserStoppedTypingFrame,
    ),
}
