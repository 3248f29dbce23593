"""What the server says about a room: its messages, signals, and how a client stands to it.

The types are the published schema (`roomkit.wire.schema`), so their docstrings are read by people
who write clients. A field that is `UNSET` is left out of the frame. Only `room_joined` knows nulls.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from roomkit.core.commands import Meta
from roomkit.wire.envelope import Data, Frame, Placed, Timestamp
from roomkit.wire.people_frames import Occupant

__all__ = [
    "Gap",
    "HistoryData",
    "MessageData",
    "MessageDeletedData",
    "MessageDeletedFrame",
    "MessageEditedData",
    "MessageEditedFrame",
    "MessageHistoryFrame",
    "NewMessageFrame",
    "RoomAdvancedFrame",
    "RoomGapData",
    "RoomGapFrame",
    "RoomJoinedData",
    "RoomJoinedFrame",
    "RoomLeftData",
    "RoomLeftFrame",
    "SignalData",
    "SignalFrame",
    "TypingNow",
    "You",
]


class MessageData(Placed, frozen=True, kw_only=True):
    """A message in its final form.

    Attributes:
        username: who wrote it, as the server knows them.
        message: the text, never markup; empty once deleted.
        type: system for what the host posts in its own name.
        id: names the message; opaque.
        user_id: left out if the host posts in its own name.
        idempotency_key: as its author gave it, so that a sender knows its own again.
        reply_to: the id of the message answered, as the author gave it.
        meta: the host's own data.
        version: one more with each edit and delete; left out while it is 1.
        edited: when it was edited last; left out if it never was.
        deleted: when it was deleted; left out if it was not. It stays deleted, and has no meta,
            reply_to and edited any more.
    """

    username: str
    message: str
    timestamp: Timestamp
    type: Literal["message", "system"]
    id: str
    user_id: str | UnsetType = UNSET
    idempotency_key: str | UnsetType = UNSET
    reply_to: str | UnsetType = UNSET
    meta: Meta | UnsetType = UNSET
    version: int | UnsetType = UNSET
    edited: Timestamp | UnsetType = UNSET
    deleted: Timestamp | UnsetType = UNSET


class NewMessageFrame(Frame, frozen=True, tag="new_message"):
    """A message entered the room's log; its author is sent it too."""

    data: MessageData


class MessageEditedData(Placed, frozen=True, kw_only=True):
    """A message got another text. A reader that does not hold the message has nothing to do.

    Attributes:
        id: of the message; `seq` and `link` are the edit's own.
        version: of the message now.
        message: its text now.
        by: the user_id of who edited it.
        timestamp: when.
    """

    id: str
    version: int
    message: str
    by: str
    timestamp: Timestamp


class MessageEditedFrame(Frame, frozen=True, tag="message_edited"):
    """A message was edited."""

    data: MessageEditedData


class MessageDeletedData(Placed, frozen=True, kw_only=True):
    """A message was deleted; what stays of it is a tombstone.

    Attributes:
        id: of the message; `seq` and `link` are the deletion's own.
        version: of the message now.
        by: the user_id of who deleted it.
        timestamp: when.
    """

    id: str
    version: int
    by: str
    timestamp: Timestamp
    reason: str | UnsetType = UNSET


class MessageDeletedFrame(Frame, frozen=True, tag="message_deleted"):
    """A message was deleted."""

    data: MessageDeletedData


class HistoryData(Data, frozen=True, kw_only=True):
    """Messages, oldest first, never joins or leaves.

    Attributes:
        first_seq: seq of the first message; left out if there is none.
        last_seq: seq of the last message; left out if there is none.
        has_before: older messages exist.
        has_after: newer messages exist.
        complete: false if retention removed messages inside the range or just beyond it.
    """

    room: str
    messages: tuple[MessageData, ...]
    ref: str | UnsetType = UNSET
    first_seq: int | UnsetType = UNSET
    last_seq: int | UnsetType = UNSET
    has_before: bool | UnsetType = UNSET
    has_after: bool | UnsetType = UNSET
    complete: bool | UnsetType = UNSET


class MessageHistoryFrame(Frame, frozen=True, tag="message_history"):
    """Answers `get_history`; in protocol 1 the first frame after a join or a gap."""

    data: HistoryData


class SignalData(Data, frozen=True, kw_only=True):
    """Something passed on among those in the room.

    Attributes:
        payload: any JSON value, as it was sent.
    """

    room: str
    user_id: str
    username: str
    name: str
    payload: object


class SignalFrame(Frame, frozen=True, tag="signal"):
    """Somebody in the room sent a signal; it is stored nowhere."""

    data: SignalData


# Entering, leaving, keeping up


class You(Data, frozen=True, kw_only=True):
    """What the reader is in a room, and what they may do there."""

    role: str
    can: tuple[str, ...]


class Gap(Data, frozen=True, kw_only=True):
    """Why a resume did not work.

    Attributes:
        from_seq: the first seq that was missed.
        reason: trimmed, forked or replay_limit.
    """

    reason: str
    from_seq: int | UnsetType = UNSET


class TypingNow(Data, frozen=True, kw_only=True):
    """Everybody typing in a room as it is joined; `expires_ms` as in `user_typing`."""

    users: tuple[str, ...]
    total: int
    expires_ms: int


class RoomJoinedData(Placed, frozen=True, kw_only=True):
    """A room as of `seq`.

    Attributes:
        recovered: null if no `since` was given; true if the entries after it follow as frames, and
            then the optional fields but `ref` are left out; false if this snapshot replaces what
            was known.
        total: how many users are in the room.
        roster: off in a room with too many users to list.
        has_before: older messages exist.
        complete: false if retention removed messages just before the first of these.
    """

    recovered: bool | None
    gap: Gap | None
    you: You
    typing: TypingNow
    ref: str | UnsetType = UNSET
    total: int | UnsetType = UNSET
    roster: Literal["on", "off"] | UnsetType = UNSET
    messages: tuple[MessageData, ...] | UnsetType = UNSET
    occupants: tuple[Occupant, ...] | UnsetType = UNSET
    has_before: bool | UnsetType = UNSET
    complete: bool | UnsetType = UNSET


class RoomJoinedFrame(Frame, frozen=True, tag="room_joined"):
    """The room as it is; answers `join_room`, and without `ref` follows `room_gap`."""

    data: RoomJoinedData


class RoomLeftData(Data, frozen=True, kw_only=True):
    """The reader is no longer in the room.

    Attributes:
        reason: left or kicked.
    """

    room: str
    reason: str
    ref: str | UnsetType = UNSET


class RoomLeftFrame(Frame, frozen=True, tag="room_left"):
    """Nothing more of this room follows; answers `leave_room`."""

    data: RoomLeftData


class RoomGapData(Data, frozen=True, kw_only=True):
    """The room cannot continue from what was sent.

    Attributes:
        reason: trimmed, forked or replay_limit.
    """

    room: str
    reason: str


class RoomGapFrame(Frame, frozen=True, tag="room_gap"):
    """Frames of the room were lost; a fresh `room_joined` follows."""

    data: RoomGapData


class RoomAdvancedFrame(Frame, frozen=True, tag="room_advanced"):
    """An entry that changes nothing a client can see took this place."""

    data: Placed
