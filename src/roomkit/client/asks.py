"""What an application asks of the client machine, and what the machine answers with.

Asks are plain values; in the vectors each is `{"<name>": {...}}`, by the tag given here. Outputs
are instructions to the shell, which has the socket and the timers, and news for the application.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from roomkit.client.view_data import Problem, Record

__all__ = [
    "DISCONNECTED",
    "EXPIRED",
    "NOT_JOINED",
    "OUTBOX_FULL",
    "STOPPED",
    "WITHDRAWN",
    "Answered",
    "Ask",
    "Connect",
    "Connectivity",
    "Delete",
    "Discard",
    "Disconnect",
    "Edit",
    "Happened",
    "History",
    "Join",
    "Leave",
    "Output",
    "Rejected",
    "Send",
    "Signal",
    "StartTyping",
    "StateChanged",
    "StopTyping",
    "Transmit",
    "Users",
]


class _Ask(msgspec.Struct, frozen=True, tag_field="ask"):
    room: str


class Join(_Ask, frozen=True, tag="join"):
    """Be in a room from now on, over every cut, until `Leave`.

    Attributes:
        history: how many of the newest messages a snapshot should bring; None for the server's
            default.
        meta: shown to others in `occupants`.
        username: the name a guest in no room would like.
    """

    history: int | None = None
    meta: Record | None = None
    username: str | None = None


class Leave(_Ask, frozen=True, tag="leave"):
    """Be in a room no longer; messages not sent yet are given up. Answered with nothing."""


class Send(_Ask, frozen=True, tag="send"):
    """Post a message, now or as soon as the room is joined. Answered with the message."""

    message: str
    reply_to: str | None = None
    meta: Record | None = None


class Discard(_Ask, frozen=True, tag="discard"):
    """Take a message out of the outbox, unless it may be on its way to the server."""

    key: str


class Edit(_Ask, frozen=True, tag="edit"):
    """Give a message another text. Answered with the data of the `ack`."""

    id: str
    message: str
    if_version: int | None = None


class Delete(_Ask, frozen=True, tag="delete"):
    """Delete a message for good. Answered with the data of the `ack`."""

    id: str
    reason: str | None = None
    if_version: int | None = None


class StartTyping(_Ask, frozen=True, tag="typing"):
    """Our user pressed a key in this room; to be said on each, as often as that is."""


class StopTyping(_Ask, frozen=True, tag="stop_typing"):
    """Our user cleared the field."""


class History(_Ask, frozen=True, tag="history"):
    """Fetch messages; with no cursor, those before the oldest held, to be merged into the view.

    Answered with the data of the `message_history`.
    """

    before: int | None = None
    after: int | None = None
    around: int | None = None
    limit: int | None = None


class Users(_Ask, frozen=True, tag="users"):
    """List occupants, those after a `user_id`. Answered with the data of the `room_users`."""

    after: str | None = None
    limit: int | None = None


class Signal(_Ask, frozen=True, tag="signal"):
    """Pass something on to everybody in the room. Answered with nothing."""

    name: str
    payload: object = None


Ask = (
    Join
    | Leave
    | Send
    | Discard
    | Edit
    | Delete
    | StartTyping
    | StopTyping
    | History
    | Users
    | Signal
)

Connectivity = Literal["offline", "connecting", "online", "stopped"]
"""`offline`: waiting to try again. `stopped`: will not by itself."""


class Transmit(msgspec.Struct, frozen=True):
    """Send this frame on the open connection."""

    frame: Record


class Connect(msgspec.Struct, frozen=True):
    """Open a connection that long from now (ms); it replaces an earlier wish not yet begun."""

    after_ms: int


class Disconnect(msgspec.Struct, frozen=True):
    """Close the connection, or stop opening it; nothing more of it may be told to the machine."""

    code: int
    reason: str


class StateChanged(msgspec.Struct, frozen=True):
    """How the client stands to the server. `problem`: why it is stopped or offline, if known."""

    state: Connectivity
    problem: Problem | None = None


class Happened(msgspec.Struct, frozen=True):
    """A frame that said something new; the view has it already.

    Attributes:
        room: None for an `error` of no room.
        type: the frame's; `error` only if nobody waits for it.
        data: the frame's.
    """

    room: str | None
    type: str
    data: Record


class Answered(msgspec.Struct, frozen=True):
    """What was asked with this ticket is done."""

    ticket: int
    data: Record


class Rejected(msgspec.Struct, frozen=True):
    """What was asked with this ticket was not done, or nobody knows."""

    ticket: int
    problem: Problem
    retry_after_ms: int | None = None


Output = Transmit | Connect | Disconnect | StateChanged | Happened | Answered | Rejected

DISCONNECTED = Problem("disconnected", "the connection was lost before the answer: ask again")
NOT_JOINED = Problem("not_joined", "this room is not joined now: join it, or wait until it is")
STOPPED = Problem("stopped", "the client has stopped: start it again")
WITHDRAWN = Problem("withdrawn", "the message was taken back before it was sent")
EXPIRED = Problem("expired", "the message could not be sent in time; it may have been posted")
OUTBOX_FULL = Problem("outbox_full", "too many messages wait to be sent: wait until some are")
