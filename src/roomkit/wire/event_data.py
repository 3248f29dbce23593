"""The `data` of frames, from events: the pieces both protocols are put together from."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TypeVar

from msgspec import UNSET, UnsetType

from roomkit.core import events
from roomkit.ids import entry_id
from roomkit.wire import people_frames as people
from roomkit.wire.connection_frames import AckData, ErrorData
from roomkit.wire.room_frames import MessageData, MessageDeletedData, MessageEditedData

__all__ = [
    "ack_data",
    "deleted_data",
    "edited_data",
    "error_data",
    "given",
    "message_data",
    "moderated_data",
    "occupant_data",
    "roster_data",
    "timestamp",
    "typing_data",
    "users_data",
]

T = TypeVar("T")


def given(value: T | None) -> T | UnsetType:
    """Return the value, or what leaves the field out of the frame."""
    return UNSET if value is None else value


_FRACTIONS = tuple(f".{milliseconds:03d}Z" for milliseconds in range(1000))


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def timestamp(at: int) -> str:
    """Return milliseconds since the Unix epoch as ISO 8601 in UTC: `2024-01-01T12:00:00.000Z`."""
    return _second(at // 1000) + _FRACTIONS[at % 1000]


def message_data(room_id: str, message: events.Message) -> MessageData:
    seq, link = message.seq, message.link
    return MessageData(
        room=room_id,
        seq=seq,
        link=link,
        username=message.username,
        message=message.text,
        timestamp=timestamp(message.at),
        type="system" if message.system else "message",
        id=entry_id(seq, link),
        user_id=message.user_id or UNSET,
        idempotency_key=UNSET if message.idempotency_key is None else message.idempotency_key,
        reply_to=UNSET if message.reply_to is None else message.reply_to,
        meta=UNSET if message.meta is None else message.meta,
        version=UNSET if message.version == 1 else message.version,
        edited=UNSET if message.edited is None else timestamp(message.edited),
        deleted=UNSET if message.deleted is None else timestamp(message.deleted),
    )


def edited_data(event: events.MessageEdited) -> MessageEditedData:
    message = event.message
    return MessageEditedData(
        room=event.room,
        seq=event.seq,
        link=event.link,
        id=entry_id(message.seq, message.link),
        version=message.version,
        message=message.text,
        by=event.by,
        timestamp=timestamp(event.at),
    )


def deleted_data(event: events.MessageDeleted) -> MessageDeletedData:
    message = event.message
    return MessageDeletedData(
        room=event.room,
        seq=event.seq,
        link=event.link,
        id=entry_id(message.seq, message.link),
        version=message.version,
        by=event.by,
        reason=given(event.reason),
        timestamp=timestamp(event.at),
    )


def typing_data(event: events.TypingStarted | events.TypingStopped) -> people.TypingData:
    return people.TypingData(
        room=event.room,
        username=event.username,
        user_id=event.user_id,
        users=event.users,
        total=event.total,
        expires_ms=event.expires_ms,
    )


def error_data(event: events.Failure) -> ErrorData:
    return ErrorData(
        message=event.message,
        code=event.code,
        retryable=event.code.retryable,
        ref=given(event.ref),
        room=given(event.room),
        retry_after_ms=given(event.retry_after_ms),
    )


def occupant_data(view: events.OccupantView) -> people.Occupant:
    return people.Occupant(
        user_id=view.user_id,
        username=view.username,
        sessions=view.sessions,
        since=timestamp(view.since),
        meta=given(view.meta),
    )


def roster_data(event: events.RosterChanged) -> people.RosterData:
    return people.RosterData(
        room=event.room,
        seq=event.seq,
        link=event.link,
        shown=event.shown,
        joined=tuple(occupant_data(view) for view in event.joined),
        left=tuple(
            people.UserGone(user_id=one.user_id, username=one.username, reason=one.reason)
            for one in event.left
        ),
        changed=tuple(
            people.UserSessions(user_id=one.user_id, sessions=one.sessions) for one in event.changed
        ),
        switched=event.switched,
        stated=event.stated,
    )


def moderated_data(event: events.Moderated) -> people.ModeratedData:
    return people.ModeratedData(
        room=event.room,
        seq=event.seq,
        link=event.link,
        action=event.action,
        user_id=event.user_id,
        username=event.username,
        by=event.by,
        reason=given(event.reason),
        removed=event.removed,
    )


def users_data(event: events.RosterListed) -> people.UsersData:
    return people.UsersData(
        room=event.room,
        users=tuple(view.username for view in event.occupants),
        total=event.total,
        occupants=tuple(occupant_data(view) for view in event.occupants),
        truncated=event.truncated,
        ref=given(event.ref),
    )


def ack_data(event: events.Acked) -> AckData:
    position = event.position
    if position is None:
        return AckData(ref=event.ref, room=given(event.room))
    seq, link = position.seq, position.link
    return AckData(
        ref=event.ref,
        room=given(event.room),
        id=event.message or entry_id(seq, link),
        seq=seq,
        link=link,
        timestamp=timestamp(event.at),
        duplicate=UNSET if event.version else event.duplicate,
        version=given(event.version),
    )
