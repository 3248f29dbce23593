"""What the engine tells the shell to do, in the order it must be done.

Nothing a client sees precedes the store's answer: an `Append` goes out first, its outcome comes
back as an input, and only then do `Broadcast` and `Deliver` follow. Each store effect has exactly
one answering input (named in its docstring). Secrets and sockets are unknown here: connections are
ids.
"""

from __future__ import annotations

import msgspec

from roomkit.core.events import Event
from roomkit.core.storage import MessageRow, Nonce, PageQuery, Snapshot
from roomkit.errors import CloseCode
from roomkit.ids import ConnectionId, NodeId, Position, RequestId, RoomId

__all__ = [
    "Answer",
    "Append",
    "Attach",
    "Broadcast",
    "Close",
    "Deliver",
    "Detach",
    "Effect",
    "FactItem",
    "FindLapsed",
    "Follow",
    "LoadRoom",
    "PageMessages",
    "ReadLog",
    "ReadTips",
    "Renew",
    "SaveRoom",
    "SendToNodes",
    "StoreEffect",
    "Unfollow",
]


class Deliver(msgspec.Struct, frozen=True):
    """Send an event to one connection, after everything of its rooms emitted so far."""

    connection: ConnectionId
    event: Event


class Broadcast(msgspec.Struct, frozen=True):
    """Send an event to every connection attached to the room, and to the host's watchers of it.

    Attributes:
        without: attached connections that are not sent it.
        protocol: if set, only connections of this protocol (and no watchers) are sent it.
    """

    room: RoomId
    event: Event
    without: tuple[ConnectionId, ...] = ()
    protocol: int | None = None


class Attach(msgspec.Struct, frozen=True):
    """From here on the connection is sent the room's broadcasts."""

    connection: ConnectionId
    room: RoomId


class Detach(msgspec.Struct, frozen=True):
    """From here on it is not. A closed connection is detached everywhere without being told."""

    connection: ConnectionId
    room: RoomId


class Close(msgspec.Struct, frozen=True):
    """Close the websocket after what was delivered before. Answered by the input `Closed`."""

    connection: ConnectionId
    code: CloseCode
    reason: str


class Answer(msgspec.Struct, frozen=True):
    """The outcome of a host's request (`Asked`): an event, `Failure` among them."""

    request: RequestId
    event: Event


class FactItem(msgspec.Struct, frozen=True):
    """One fact to append. `key` is the idempotency key in the store's terms, or None."""

    key: str | None
    fact: bytes


class Append(msgspec.Struct, frozen=True):
    """Store these facts whole or not at all. Answered by `Appended`.

    `control` says that the last fact is a control fact, whose link becomes the room's fence.
    The shell stamps it with its wall clock.

    Attributes:
        after: of a control append, the entry it was judged after; a log without it refuses.
    """

    room: RoomId
    nonce: Nonce
    fence: str
    facts: tuple[FactItem, ...]
    control: bool
    after: Position | None = None


class ReadLog(msgspec.Struct, frozen=True):
    """Read entries after a seq. Answered by `LogRead`."""

    room: RoomId
    after: int
    limit: int


class LoadRoom(msgspec.Struct, frozen=True):
    """Load a room. Answered by `RoomLoaded`."""

    room: RoomId


class SaveRoom(msgspec.Struct, frozen=True):
    """Keep a snapshot and the messages changed since the last. Answered by `RoomSaved`."""

    room: RoomId
    snapshot: Snapshot
    messages: tuple[MessageRow, ...]


class PageMessages(msgspec.Struct, frozen=True):
    """Read archived messages. Answered by `MessagesPaged` with the same `page`."""

    room: RoomId
    page: int
    query: PageQuery
    limit: int


class ReadTips(msgspec.Struct, frozen=True):
    """Look at the tips of these rooms. Answered by `TipsRead`."""

    rooms: tuple[RoomId, ...]


class Follow(msgspec.Struct, frozen=True):
    """Ask the store's feed for this room. Not answered."""

    room: RoomId


class Unfollow(msgspec.Struct, frozen=True):
    """The feed need not bring this room any more. Not answered."""

    room: RoomId


class SendToNodes(msgspec.Struct, frozen=True):
    """Pass an ephemeral payload to the other nodes following the room. Not answered."""

    room: RoomId
    payload: bytes


class Renew(msgspec.Struct, frozen=True):
    """Hold this node's lease for `ttl_ms` from now. Answered by `LeaseRenewed`."""

    node: NodeId
    ttl_ms: int


class FindLapsed(msgspec.Struct, frozen=True):
    """Which of these nodes hold no lease? Answered by `LapsedFound`."""

    nodes: tuple[NodeId, ...]


StoreEffect = (
    Append
    | ReadLog
    | LoadRoom
    | SaveRoom
    | PageMessages
    | ReadTips
    | Follow
    | Unfollow
    | SendToNodes
    | Renew
    | FindLapsed
)

Effect = Deliver | Broadcast | Attach | Detach | Close | Answer | StoreEffect
