"""Everything that can drive the engine. None of it can be decoded from the wire except a `Command`.

Connections come and go (`Connected`, `Opened`, `Received`, `Garbled`, `Closed`), the host asks
(`Asked`), the store answers and hints, and `Tick` only says that time has passed.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from roomkit.core.commands import Command
from roomkit.core.events import User
from roomkit.core.storage import LogSlice, MessagePage, Nonce, Outcome, RoomRecord, StoreFeed, Tip
from roomkit.errors import ErrorCode
from roomkit.ids import ConnectionId, NodeId, Position, RequestId, RoomId, SessionId, UserId

__all__ = [
    "Appended",
    "Asked",
    "Closed",
    "Connected",
    "Drain",
    "Fed",
    "Garbled",
    "HostCommand",
    "HostDelete",
    "HostEdit",
    "HostHistory",
    "HostKick",
    "HostPost",
    "HostUsers",
    "Input",
    "LapsedFound",
    "LeaseRenewed",
    "LogRead",
    "MessagesPaged",
    "Now",
    "Opened",
    "Received",
    "RoomLoaded",
    "RoomSaved",
    "Tick",
    "TipsRead",
    "Unwatched",
    "Watched",
]


class Now(msgspec.Struct, frozen=True, gc=False):
    """The two clocks. `mono` never goes back and only deadlines use it; `wall` only stamps.

    Both in milliseconds, `wall` since the Unix epoch.
    """

    mono: int
    wall: int


class Connected(msgspec.Struct, frozen=True):
    """A websocket was accepted; nothing is known of it yet."""

    connection: ConnectionId


class Opened(msgspec.Struct, frozen=True):
    """The handshake succeeded: this connection is that user, in that session.

    Attributes:
        protocol: 1 or 2.
        session: an id the client proved to hold, or a fresh one.
    """

    connection: ConnectionId
    protocol: int
    user: User
    session: SessionId


class Received(msgspec.Struct, frozen=True, omit_defaults=True):
    """A well-formed command arrived.

    Attributes:
        more: others may follow in this moment, so what has to wait for its turn is judged with
            them, at the next step of another kind or at the `Tick` that is now due. What a room is
            told by many at once is then one append and one batch.
    """

    connection: ConnectionId
    command: Command
    more: bool = False


class Garbled(msgspec.Struct, frozen=True):
    """A frame arrived that is no command; it still counts as a frame."""

    connection: ConnectionId
    code: ErrorCode
    message: str
    ref: str | None = None
    room: str | None = None


class Closed(msgspec.Struct, frozen=True):
    """The connection is gone, whoever ended it. Repeating it is harmless."""

    connection: ConnectionId


class HostPost(msgspec.Struct, frozen=True):
    """The host posts a message: as a user, or with `user` None in its own name (type "system")."""

    room: RoomId
    text: str
    user: User | None = None
    idempotency_key: str | None = None
    reply_to: str | None = None
    meta: dict[str, object] | None = None


class HostEdit(msgspec.Struct, frozen=True):
    """The host gives a message another text; answered with `Acked`."""

    room: RoomId
    id: str
    message: str
    by: UserId
    if_version: int | None = None


class HostDelete(msgspec.Struct, frozen=True):
    """The host deletes a message; answered with `Acked`."""

    room: RoomId
    id: str
    by: UserId
    reason: str | None = None
    if_version: int | None = None


class HostKick(msgspec.Struct, frozen=True):
    """The host removes a user from a room; the user may come back."""

    room: RoomId
    user_id: UserId
    by: str
    reason: str | None = None


class HostHistory(msgspec.Struct, frozen=True):
    """The host reads a page of messages; answered with `HistoryListed`."""

    room: RoomId
    before: int | None = None
    after: int | None = None
    around: int | None = None
    limit: int | None = None


class HostUsers(msgspec.Struct, frozen=True):
    """The host asks who is in a room; answered with `RosterListed`."""

    room: RoomId
    after: str | None = None
    limit: int | None = None


HostCommand = HostPost | HostEdit | HostDelete | HostKick | HostHistory | HostUsers


class Asked(msgspec.Struct, frozen=True):
    """The host wants something done and waits for the `Answer` with the same request."""

    request: RequestId
    command: HostCommand


class Watched(msgspec.Struct, frozen=True):
    """The host watches a room; it is loaded, followed and kept until `Unwatched` as often."""

    room: RoomId


class Unwatched(msgspec.Struct, frozen=True):
    """One watcher less."""

    room: RoomId


class Appended(msgspec.Struct, frozen=True):
    """Answers `Append`."""

    room: RoomId
    nonce: Nonce
    outcome: Outcome


class LogRead(msgspec.Struct, frozen=True):
    """Answers `ReadLog`; None if the store failed."""

    room: RoomId
    after: int
    log: LogSlice | None


class RoomLoaded(msgspec.Struct, frozen=True):
    """Answers `LoadRoom`; None if the store failed."""

    room: RoomId
    record: RoomRecord | None


class RoomSaved(msgspec.Struct, frozen=True):
    """Answers `SaveRoom`: whether this snapshot is now the kept one."""

    room: RoomId
    position: Position
    kept: bool


class MessagesPaged(msgspec.Struct, frozen=True):
    """Answers `PageMessages`; None if the store failed."""

    room: RoomId
    page: int
    result: MessagePage | None


class TipsRead(msgspec.Struct, frozen=True):
    """Answers `ReadTips`: tips of the rooms that have a log; None if the store failed."""

    rooms: tuple[RoomId, ...]
    tips: Mapping[RoomId, Tip] | None


class LeaseRenewed(msgspec.Struct, frozen=True):
    """Answers `Renew`: whether the store holds the lease now."""

    node: NodeId
    renewed: bool


class LapsedFound(msgspec.Struct, frozen=True):
    """Answers `FindLapsed`: those of the nodes asked about without a live lease."""

    lapsed: tuple[NodeId, ...]


class Fed(msgspec.Struct, frozen=True):
    """Something came from the store's feed."""

    item: StoreFeed


class Drain(msgspec.Struct, frozen=True):
    """The node is about to stop: send everybody away, with advice to come back."""

    reason: str


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Input = (
    Connected
    | Opened
    | Received
    | Garbled
    | Closed
    | Asked
    | Watched
    | Unwatched
    | Appended
    | LogRead
    | RoomLoaded
    | RoomSaved
    | MessagesPaged
    | TipsRead
    | LeaseRenewed
    | LapsedFound
    | Fed
    | Drain
    | Tick
)
