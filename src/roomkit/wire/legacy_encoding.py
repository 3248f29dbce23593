"""Events to frames of protocol 1: eight types, and no other ever reaches such a client.

Its clients chose nothing, so nothing may surprise them: keys they do not know are the only growth.
What has no frame here they are not told (protocol page, Frames of protocol 1).
"""

from __future__ import annotations

from typing import assert_never

import msgspec
from msgspec import UNSET

from roomkit.core import events
from roomkit.ids import UserId
from roomkit.limits import Limits
from roomkit.wire.connection_frames import ErrorFrame
from roomkit.wire.encoding import Messages, fitted, to_bytes
from roomkit.wire.envelope import Frame
from roomkit.wire.event_data import error_data, given, message_data, timestamp, typing_data
from roomkit.wire.people_frames import (
    PresenceData,
    RoomUsersFrame,
    UserJoinedFrame,
    UserLeftFrame,
    UsersData,
    UserStoppedTypingFrame,
    UserTypingFrame,
)
from roomkit.wire.room_frames import HistoryData, MessageHistoryFrame, NewMessageFrame

__all__ = ["encode_legacy"]


def encode_legacy(event: events.Event, limits: Limits) -> tuple[bytes, ...]:
    """Return the frames of protocol 1 that tell this event, in order; none for many.

    `message_history` is kept within `limits.snapshot_bytes`, or `limits.page_bytes` for a page, by
    leaving out the oldest messages.
    """
    match event:
        case events.Posted():
            return (to_bytes(NewMessageFrame(message_data(event.room, event.message))),)
        case events.TypingStarted():
            return (to_bytes(UserTypingFrame(typing_data(event))),)
        case events.TypingStopped():
            return (to_bytes(UserStoppedTypingFrame(typing_data(event))),)
        case events.RosterChanged():
            return tuple(to_bytes(frame) for frame in _presence(event))
        case events.Moderated():
            return (to_bytes(_kicked(event)),) if event.removed else ()
        case events.RoomJoined():
            history = _history(event, limits.snapshot_bytes)
            return (history, to_bytes(RoomUsersFrame(_users(event))))
        case events.HistoryListed():
            return (_history(event, limits.page_bytes),)
        case events.RosterListed():
            return (to_bytes(RoomUsersFrame(_users(event))),)
        case events.Failure():
            data = msgspec.structs.replace(error_data(event), ref=UNSET)
            return (to_bytes(ErrorFrame(data)),)
        case (
            events.Acked()
            | events.Advanced()
            | events.GapTold()
            | events.MessageDeleted()
            | events.MessageEdited()
            | events.OccupancyCounted()
            | events.Pinged()
            | events.Ponged()
            | events.ReconnectAdvised()
            | events.RoomLeft()
            | events.SignalSent()
            | events.Welcomed()
        ):
            return ()
        case _:
            assert_never(event)


def _presence(event: events.RosterChanged) -> list[Frame]:
    """Nobody came or went when occupants were only restated, or the roster was switched."""
    if event.stated or event.switched:
        return []
    frames: list[Frame] = [
        UserJoinedFrame(_came_or_went(event, view.user_id, view.username, "joined"))
        for view in event.joined
    ]
    frames += [
        UserLeftFrame(_came_or_went(event, one.user_id, one.username, "left", one.reason))
        for one in event.left
    ]
    return frames


def _kicked(event: events.Moderated) -> Frame:
    return UserLeftFrame(_came_or_went(event, event.user_id, event.username, "left", "kicked"))


def _came_or_went(
    event: events.RosterChanged | events.Moderated,
    user_id: UserId,
    username: str,
    verb: str,
    reason: str | None = None,
) -> PresenceData:
    return PresenceData(
        room=event.room,
        username=username,
        message=f"{username} {verb} the room",
        timestamp=timestamp(event.at),
        user_id=user_id,
        type="system",
        reason=given(reason),
    )


def _history(event: events.RoomJoined | events.HistoryListed, most_bytes: int) -> bytes:
    def frame_of(messages: Messages, cut: bool) -> Frame:
        return MessageHistoryFrame(HistoryData(room=event.room, messages=messages))

    messages = tuple(message_data(event.room, message) for message in event.messages)
    return fitted(messages, most_bytes, frame_of)


def _users(event: events.RoomJoined | events.RosterListed) -> UsersData:
    hidden = isinstance(event, events.RoomJoined) and not event.shown
    truncated = hidden if isinstance(event, events.RoomJoined) else event.truncated
    return UsersData(
        room=event.room,
        users=() if hidden else tuple(view.username for view in event.occupants),
        total=event.total,
        truncated=truncated,
    )
