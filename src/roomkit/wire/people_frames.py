"""What the server says about the people in a room: who is there, came, went, types, was removed.

The types are the published schema (`roomkit.wire.schema`), so their docstrings are read by people
who write clients. A field that is `UNSET` is left out of the frame.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from roomkit.core.commands import Meta
from roomkit.wire.envelope import Data, Frame, Placed, Timestamp

__all__ = [
    "ModeratedData",
    "OccupancyData",
    "OccupancyFrame",
    "Occupant",
    "PresenceData",
    "RoomUsersFrame",
    "RosterChangedFrame",
    "RosterData",
    "TypingData",
    "UserGone",
    "UserJoinedFrame",
    "UserLeftFrame",
    "UserModeratedFrame",
    "UserSessions",
    "UserStoppedTypingFrame",
    "UserTypingFrame",
    "UsersData",
]


class Occupant(Data, frozen=True, kw_only=True):
    """A user in a room.

    Attributes:
        sessions: how many tabs or devices of the user are in the room.
        since: when the first of them entered.
        meta: the host's own data.
    """

    user_id: str
    username: str
    sessions: int
    since: Timestamp
    meta: Meta | UnsetType = UNSET


class UsersData(Data, frozen=True, kw_only=True):
    """Who is in a room.

    Attributes:
        users: their names, in the order of `occupants`.
        total: how many users are in the room.
        truncated: true if there are more than listed.
    """

    room: str
    users: tuple[str, ...]
    total: int
    occupants: tuple[Occupant, ...] | UnsetType = UNSET
    truncated: bool | UnsetType = UNSET
    ref: str | UnsetType = UNSET


class RoomUsersFrame(Frame, frozen=True, tag="room_users"):
    """Answers `get_users`; in protocol 1 sent after a join and when the roster changes."""

    data: UsersData


class PresenceData(Data, frozen=True, kw_only=True):
    """Somebody came or went.

    Attributes:
        message: a sentence a page may show.
        reason: of leaving: left, dropped, replaced, node_lost, restated or kicked.
    """

    room: str
    username: str
    message: str
    timestamp: Timestamp
    user_id: str
    type: Literal["system"]
    reason: str | UnsetType = UNSET


class UserJoinedFrame(Frame, frozen=True, tag="user_joined"):
    """A user came into the room."""

    data: PresenceData


class UserLeftFrame(Frame, frozen=True, tag="user_left"):
    """A user's last session left the room."""

    data: PresenceData


class UserGone(Data, frozen=True, kw_only=True):
    """A user whose last session left.

    Attributes:
        reason: left, dropped, replaced, node_lost, restated or kicked.
    """

    user_id: str
    username: str
    reason: str


class UserSessions(Data, frozen=True, kw_only=True):
    """A user who was there already and now has `sessions` sessions."""

    user_id: str
    sessions: int


class RosterData(Placed, frozen=True, kw_only=True, omit_defaults=True):
    """How the roster changed.

    Attributes:
        shown: whether the room has a roster from here on; without one `occupancy` counts.
        switched: true if this very entry turned the roster off or on.
        stated: true if a server stated anew who is there: nobody came or went just now.
    """

    shown: bool
    joined: tuple[Occupant, ...]
    left: tuple[UserGone, ...]
    changed: tuple[UserSessions, ...]
    switched: bool = False
    stated: bool = False


class RosterChangedFrame(Frame, frozen=True, tag="roster_changed"):
    """Users came or went, or the roster went off or on."""

    data: RosterData


class ModeratedData(Placed, frozen=True, kw_only=True, omit_defaults=True):
    """What a moderator did to a user.

    Attributes:
        by: who did it.
        removed: true if the user was in the roster and no longer is.
    """

    action: str
    user_id: str
    username: str
    by: str
    reason: str | UnsetType = UNSET
    removed: bool = False


class UserModeratedFrame(Frame, frozen=True, tag="user_moderated"):
    """A moderator acted on a user."""

    data: ModeratedData


class OccupancyData(Data, frozen=True, kw_only=True):
    """How many users, with how many sessions, are in a room."""

    room: str
    users: int
    sessions: int


class OccupancyFrame(Frame, frozen=True, tag="occupancy"):
    """The count of a room whose roster is off, from time to time."""

    data: OccupancyData


class TypingData(Data, frozen=True, kw_only=True):
    """Everybody typing in a room now.

    Attributes:
        username: who began or stopped; `user_id` is theirs.
        users: names of those typing; not all of them if `total` is larger.
        total: how many are typing.
        expires_ms: forget them after this long without another word.
    """

    room: str
    username: str
    user_id: str
    users: tuple[str, ...]
    total: int
    expires_ms: int


class UserTypingFrame(Frame, frozen=True, tag="user_typing"):
    """A user began to type."""

    data: TypingData


class UserStoppedTypingFrame(Frame, frozen=True, tag="user_stopped_typing"):
    """A user is no longer typing: said so, sent, left, dropped or expired."""

    data: TypingData
