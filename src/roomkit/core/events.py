"""What clients may learn. Frozen values; the wire turns each into frames, once per protocol.

Entry events carry `room`, `seq` and `link` and are the same for every member. The others are
answers to one connection, or ephemeral and never numbered. This file must not know how any of it is
encoded.
"""

from __future__ import annotations

import msgspec

from roomkit.core.views import Departed, Message, OccupantChanged, OccupantView, User
from roomkit.errors import ErrorCode
from roomkit.ids import MessageId, Position, RoomId, SessionId, UserId

__all__ = [
    "Acked",
    "Advanced",
    "Departed",
    "EntryEvent",
    "Event",
    "Failure",
    "GapTold",
    "HistoryListed",
    "Message",
    "MessageDeleted",
    "MessageEdited",
    "Moderated",
    "OccupancyCounted",
    "OccupantChanged",
    "OccupantView",
    "Pinged",
    "Ponged",
    "Posted",
    "ReconnectAdvised",
    "RoomJoined",
    "RoomLeft",
    "RosterChanged",
    "RosterListed",
    "SignalSent",
    "TypingStarted",
    "TypingStopped",
    "User",
    "Welcomed",
]


# Entry events: one per entry of the log, the same for every member.


class Posted(msgspec.Struct, frozen=True, gc=False):
    """A message entered the log; its own `seq` and `link` are the entry's."""

    room: RoomId
    message: Message

    @property
    def seq(self) -> int:
        return self.message.seq

    @property
    def link(self) -> str:
        return self.message.link


class MessageEdited(msgspec.Struct, frozen=True):
    """A message got another text; `message` is its new form, `by` the user id of who edited it."""

    room: RoomId
    seq: int
    link: str
    at: int
    message: Message
    by: UserId


class MessageDeleted(msgspec.Struct, frozen=True):
    """A message was deleted; `message` is its tombstone, `by` the user id of who deleted it."""

    room: RoomId
    seq: int
    link: str
    at: int
    message: Message
    by: UserId
    reason: str | None = None


class RosterChanged(msgspec.Struct, frozen=True):
    """Users came or went, or the roster went off or on.

    Attributes:
        at: milliseconds since the Unix epoch, of the entry.
        shown: whether the roster is in the log from here on.
        switched: True if this very entry turned it off or on.
        stated: True if a node restated its occupants, so nobody really came or went just now.
    """

    room: RoomId
    seq: int
    link: str
    at: int
    shown: bool
    joined: tuple[OccupantView, ...] = ()
    left: tuple[Departed, ...] = ()
    changed: tuple[OccupantChanged, ...] = ()
    switched: bool = False
    stated: bool = False


class Moderated(msgspec.Struct, frozen=True):
    """A moderator acted on a user.

    `removed` says that the user was in the roster and no longer is.
    """

    room: RoomId
    seq: int
    link: str
    at: int
    action: str
    user_id: UserId
    username: str
    by: str
    reason: str | None = None
    removed: bool = False


class Advanced(msgspec.Struct, frozen=True):
    """An entry that changes nothing a client can see; it still takes its place in the order."""

    room: RoomId
    seq: int
    link: str


EntryEvent = Posted | MessageEdited | MessageDeleted | RosterChanged | Moderated | Advanced


# Answers and notices to one connection.


class Welcomed(msgspec.Struct, frozen=True):
    """The handshake is done. Tokens and limits are added on the way out.

    The core has no secrets.
    """

    user: User
    session: SessionId
    resumed: bool
    server_time: int


class Acked(msgspec.Struct, frozen=True):
    """The command with this `ref` is done.

    Attributes:
        position: the entry it became, None if it became none.
        at: the time of that entry (ms since the Unix epoch).
        duplicate: True if an earlier send with the same idempotency key made the entry.
        message: the message it is about.
        version: of that message, after an edit or a delete.
    """

    ref: str
    room: RoomId | None = None
    position: Position | None = None
    at: int = 0
    duplicate: bool = False
    message: MessageId | None = None
    version: int | None = None


class Failure(msgspec.Struct, frozen=True):
    """The command was refused and nothing changed."""

    code: ErrorCode
    message: str
    ref: str | None = None
    room: str | None = None
    retry_after_ms: int | None = None


class RoomJoined(msgspec.Struct, frozen=True):
    """A room as of `position`, for one connection.

    Attributes:
        recovered: None if no `since` was given; True if the entries after it follow as events (then
            there is no snapshot here and `position` is the `since`); False if a snapshot replaces
            it.
        gap_reason: why not recovered: trimmed, forked or replay_limit.
        gap_from: first seq the client misses, with `gap_reason`.
        can: what this user may do here.
        total: users in the room.
        typing: names of those typing now.
        has_before: older messages than `messages` exist.
        complete: False if retention removed messages just before the first of these.
    """

    room: RoomId
    ref: str | None
    position: Position
    recovered: bool | None
    can: tuple[str, ...]
    typing: tuple[str, ...]
    typing_total: int
    typing_expires_ms: int
    role: str = "participant"
    gap_reason: str | None = None
    gap_from: int | None = None
    total: int = 0
    shown: bool = True
    messages: tuple[Message, ...] = ()
    occupants: tuple[OccupantView, ...] = ()
    has_before: bool = False
    complete: bool = True


class RoomLeft(msgspec.Struct, frozen=True):
    """This connection no longer gets the room's events. `reason`: left or kicked."""

    room: RoomId
    ref: str | None
    reason: str


class GapTold(msgspec.Struct, frozen=True):
    """The room cannot continue from what was sent; a fresh `RoomJoined` follows."""

    room: RoomId
    reason: str


class RosterListed(msgspec.Struct, frozen=True):
    """Who is in the room, sorted by user_id; `truncated` if there are more than listed."""

    room: RoomId
    ref: str | None
    occupants: tuple[OccupantView, ...]
    total: int
    truncated: bool


class HistoryListed(msgspec.Struct, frozen=True):
    """A page of messages, oldest first.

    `first_seq` and `last_seq` are those of the page, None if it is empty. `complete` is False if
    retention removed messages inside the range or just beyond it.
    """

    room: RoomId
    ref: str | None
    messages: tuple[Message, ...]
    has_before: bool
    has_after: bool
    complete: bool


class Pinged(msgspec.Struct, frozen=True):
    """The server asks whether anybody is there."""

    t: int


class Ponged(msgspec.Struct, frozen=True):
    """Answer to a client's ping. `server_time` in ms since the Unix epoch."""

    t: int | None
    ref: str | None
    server_time: int


class ReconnectAdvised(msgspec.Struct, frozen=True):
    """The server is about to go: come back after `after_ms` plus up to `max_jitter_ms`."""

    after_ms: int
    max_jitter_ms: int
    reason: str


# Ephemeral: never numbered, never stored, may be lost.


class TypingStarted(msgspec.Struct, frozen=True):
    """`username` is typing. `users`: everybody typing, at most 20 names of `total`."""

    room: RoomId
    user_id: UserId
    username: str
    users: tuple[str, ...]
    total: int
    expires_ms: int


class TypingStopped(msgspec.Struct, frozen=True):
    """`username` is no longer typing: said so, sent, left, dropped or expired."""

    room: RoomId
    user_id: UserId
    username: str
    users: tuple[str, ...]
    total: int
    expires_ms: int


class OccupancyCounted(msgspec.Struct, frozen=True):
    """How many users and sessions are in a room whose roster is off."""

    room: RoomId
    users: int
    sessions: int


class SignalSent(msgspec.Struct, frozen=True):
    """Somebody in the room passed something on."""

    room: RoomId
    user_id: UserId
    username: str
    name: str
    payload: object


Event = (
    EntryEvent
    | Welcomed
    | Acked
    | Failure
    | RoomJoined
    | RoomLeft
    | GapTold
    | RosterListed
    | HistoryListed
    | Pinged
    | Ponged
    | ReconnectAdvised
    | TypingStarted
    | TypingStopped
    | OccupancyCounted
    | SignalSent
)
