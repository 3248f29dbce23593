"""Events to frames of protocol 2, and the pieces protocol 1 shares.

An entry is encoded once for everybody in its room, so nothing here may depend on who reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

import msgspec
from msgspec import UNSET

from roomkit.core import events
from roomkit.ids import ConnectionId
from roomkit.limits import Limits
from roomkit.wire import connection_frames as connection
from roomkit.wire import people_frames as people
from roomkit.wire import room_frames as room
from roomkit.wire.envelope import Frame, Placed
from roomkit.wire.event_data import (
    ack_data,
    deleted_data,
    edited_data,
    error_data,
    given,
    message_data,
    moderated_data,
    occupant_data,
    roster_data,
    timestamp,
    typing_data,
    users_data,
)

__all__ = ["encode_event", "encode_welcome", "fitted", "to_bytes"]

Messages = tuple[room.MessageData, ...]

_Notice = (
    events.Failure
    | events.RoomLeft
    | events.GapTold
    | events.RosterListed
    | events.Pinged
    | events.Ponged
    | events.ReconnectAdvised
    | events.OccupancyCounted
    | events.SignalSent
)

to_bytes = msgspec.json.Encoder().encode
"""Turn a frame into UTF-8 JSON."""


def encode_event(event: events.Event, limits: Limits) -> bytes:
    """Return the one frame of protocol 2 that tells this event.

    `room_joined` is kept within `limits.snapshot_bytes` and `message_history` within
    `limits.page_bytes` by leaving out the oldest messages; the roster is always whole.

    Raises:
        TypeError: for `Welcomed`, whose tokens the core does not know; see `encode_welcome`.
    """
    match event:
        case events.Posted():
            return to_bytes(room.NewMessageFrame(message_data(event.room, event.message)))
        case events.Acked():
            return to_bytes(connection.AckFrame(ack_data(event)))
        case events.MessageEdited():
            return to_bytes(room.MessageEditedFrame(edited_data(event)))
        case events.MessageDeleted():
            return to_bytes(room.MessageDeletedFrame(deleted_data(event)))
        case events.RoomJoined():
            return _room_joined(event, limits.snapshot_bytes)
        case events.HistoryListed():
            return _history(event, limits.page_bytes)
        case events.TypingStarted():
            return to_bytes(people.UserTypingFrame(typing_data(event)))
        case events.TypingStopped():
            return to_bytes(people.UserStoppedTypingFrame(typing_data(event)))
        case events.RosterChanged():
            return to_bytes(people.RosterChangedFrame(roster_data(event)))
        case events.Moderated():
            return to_bytes(people.UserModeratedFrame(moderated_data(event)))
        case events.Advanced():
            place = Placed(room=event.room, seq=event.seq, link=event.link)
            return to_bytes(room.RoomAdvancedFrame(place))
        case events.Welcomed():
            raise TypeError("Welcomed lacks its tokens and limits: encode it with encode_welcome")
        case _:
            return to_bytes(_notice(event))


def encode_welcome(
    event: events.Welcomed,
    *,
    connection_id: ConnectionId,
    session_token: str,
    guest_token: str | None,
    durability: str,
    limits: Limits,
    features: Sequence[str],
) -> bytes:
    """Return the `welcome` of protocol 2.

    Args:
        session_token: the signed form of `event.session`.
        guest_token: the signed form of the guest's id; None for a user the host vouches for.
        features: those asked for that this server has.
    """
    user = connection.WelcomedUser(user_id=event.user.user_id, username=event.user.username)
    data = connection.WelcomeData(
        protocol=2,
        features=tuple(features),
        connection_id=connection_id,
        session=session_token,
        user=user,
        resumed=event.resumed,
        server_time=timestamp(event.server_time),
        durability=durability,
        heartbeat_ms=limits.heartbeat_ms,
        limits=limits,
        guest_token=given(guest_token),
    )
    return to_bytes(connection.WelcomeFrame(data))


def _notice(event: _Notice) -> Frame:
    match event:
        case events.Failure():
            return connection.ErrorFrame(error_data(event))
        case events.Pinged():
            return connection.ServerPingFrame(connection.ServerPingData(t=event.t))
        case events.Ponged():
            now = timestamp(event.server_time)
            pong = connection.ServerPongData(
                server_time=now, t=given(event.t), ref=given(event.ref)
            )
            return connection.ServerPongFrame(pong)
        case events.RoomLeft():
            left = room.RoomLeftData(room=event.room, reason=event.reason, ref=given(event.ref))
            return room.RoomLeftFrame(left)
        case events.GapTold():
            return room.RoomGapFrame(room.RoomGapData(room=event.room, reason=event.reason))
        case events.RosterListed():
            return people.RoomUsersFrame(users_data(event))
        case events.ReconnectAdvised():
            return connection.ReconnectFrame(
                connection.ReconnectData(
                    after_ms=event.after_ms,
                    max_jitter_ms=event.max_jitter_ms,
                    reason=event.reason,
                )
            )
        case events.OccupancyCounted():
            count = people.OccupancyData(
                room=event.room, users=event.users, sessions=event.sessions
            )
            return people.OccupancyFrame(count)
        case events.SignalSent():
            return room.SignalFrame(
                room.SignalData(
                    room=event.room,
                    user_id=event.user_id,
                    username=event.username,
                    name=event.name,
                    payload=event.payload,
                )
            )
        case _:
            assert_never(event)


def _room_joined(event: events.RoomJoined, most_bytes: int) -> bytes:
    gap = None
    if event.gap_reason is not None:
        gap = room.Gap(reason=event.gap_reason, from_seq=given(event.gap_from))
    joined = room.RoomJoinedData(
        room=event.room,
        seq=event.position.seq,
        link=event.position.link,
        recovered=event.recovered,
        gap=gap,
        you=room.You(role=event.role, can=event.can),
        typing=room.TypingNow(
            users=event.typing, total=event.typing_total, expires_ms=event.typing_expires_ms
        ),
        ref=given(event.ref),
    )
    if event.recovered:
        return to_bytes(room.RoomJoinedFrame(joined))
    snapshot = msgspec.structs.replace(
        joined,
        total=event.total,
        roster="on" if event.shown else "off",
        occupants=tuple(occupant_data(view) for view in event.occupants),
        complete=event.complete,
    )

    def frame_of(messages: Messages, cut: bool) -> Frame:
        has_before = cut or event.has_before
        data = msgspec.structs.replace(snapshot, messages=messages, has_before=has_before)
        return room.RoomJoinedFrame(data)

    messages = tuple(message_data(event.room, message) for message in event.messages)
    return fitted(messages, most_bytes, frame_of)


def _history(event: events.HistoryListed, most_bytes: int) -> bytes:
    def frame_of(messages: Messages, cut: bool) -> Frame:
        data = room.HistoryData(
            room=event.room,
            messages=messages,
            ref=given(event.ref),
            first_seq=messages[0].seq if messages else UNSET,
            last_seq=messages[-1].seq if messages else UNSET,
            has_before=cut or event.has_before,
            has_after=event.has_after,
            complete=event.complete,
        )
        return room.MessageHistoryFrame(data)

    messages = tuple(message_data(event.room, message) for message in event.messages)
    return fitted(messages, most_bytes, frame_of)


def fitted(
    messages: Messages,
    most_bytes: int,
    frame_of: Callable[[Messages, bool], Frame],
) -> bytes:
    """Return the encoded frame with as many of the newest messages as fit into `most_bytes`.

    If the frame is too large even without a message, that is what is returned.

    Args:
        messages: oldest first.
        frame_of: makes the frame of the messages kept; told whether older ones were left out.
    """
    frame = to_bytes(frame_of(messages, False))
    cut = 0
    while len(frame) > most_bytes and cut < len(messages):
        excess = len(frame) - most_bytes
        while excess > 0 and cut < len(messages):
            excess -= len(to_bytes(messages[cut])) + len(b",")
            cut += 1
        frame = to_bytes(frame_of(messages[cut:], True))
    return frame
