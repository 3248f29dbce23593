"""What a node remembers between two steps: connections, sessions, users, rooms it serves.

Plain data, comparable and copyable. Only the engine's own modules change it. Times are monotonic
milliseconds unless a name says otherwise; `*_bucket` are pacing buckets (see `pacing`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from roomkit.core import facts
from roomkit.core.commands import Command, Meta
from roomkit.core.events import Message, User
from roomkit.core.history import History
from roomkit.core.inputs import HostCommand
from roomkit.core.room import Room
from roomkit.core.storage import Nonce, PageQuery, Snapshot
from roomkit.core.tail import Tail
from roomkit.core.timers import Timers
from roomkit.core.typists import Typists
from roomkit.ids import (
    ConnectionId,
    NodeId,
    Position,
    RequestId,
    RoomId,
    SessionId,
    UserId,
)

__all__ = [
    "Batch",
    "BatchItem",
    "Checkpoint",
    "Connection",
    "Depart",
    "Local",
    "LoseNode",
    "NodeCount",
    "Pace",
    "PagedIn",
    "Paging",
    "Served",
    "Session",
    "State",
    "StateOccupants",
    "SwitchRoster",
    "UserState",
    "Waiting",
    "Wish",
]


@dataclass(slots=True)
class UserState:
    """A user with a session here, or with pacing debt.

    Attributes:
        username: "" for a guest who has not chosen one.
        claimed: the name a guest's unanswered joins go under, while `claims` is above 0.
    """

    user_id: UserId
    username: str
    guest: bool
    sessions: dict[SessionId, None] = field(default_factory=dict[SessionId, None])
    message_bucket: int = 0
    join_bucket: int = 0
    claimed: str | None = None
    claims: int = 0

    def user(self) -> User:
        return User(self.user_id, self.username, self.guest)


@dataclass(slots=True)
class Session:
    """One tab. `rooms`: those it occupies from this node; `connection` is None in its grace."""

    id: SessionId
    user: UserState
    protocol: int
    connection: ConnectionId | None
    rooms: dict[RoomId, None] = field(default_factory=dict[RoomId, None])


@dataclass(slots=True)
class Local:
    """A session of this node in one room: as whom, and since when (ms since the Unix epoch)."""

    session: Session
    username: str
    meta: Meta | None
    since: int


@dataclass(slots=True)
class Connection:
    """One live transport.

    Attributes:
        protocol: 0 until the handshake is done.
        rooms: those it is attached to.
        current: protocol 1: the room it is in.
        headings: protocol 1: its unanswered joins, oldest first; the newest says where it heads.
        busy: unanswered joins, leaves and pages by room: later commands there wait.
        refused: frames refused in a row.
        closing: a `Close` is out; what it still sends is ignored.
    """

    id: ConnectionId
    heard_at: int
    protocol: int = 0
    session: Session | None = None
    rooms: dict[RoomId, None] = field(default_factory=dict[RoomId, None])
    current: RoomId | None = None
    headings: list[Waiting] = field(default_factory=list["Waiting"])
    busy: dict[RoomId, int] = field(default_factory=dict[RoomId, int])
    frame_bucket: int = 0
    refused: int = 0
    pinged: bool = False
    closing: bool = False


class Depart(msgspec.Struct, frozen=True):
    """The engine wants a session out of the room."""

    session: SessionId
    user_id: UserId
    reason: str


class LoseNode(msgspec.Struct, frozen=True):
    """The engine wants it written that a node's lease lapsed."""

    node: NodeId


class SwitchRoster(msgspec.Struct, frozen=True):
    """The engine wants the roster off, or on again."""

    shown: bool


class StateOccupants(msgspec.Struct, frozen=True):
    """The engine wants to list everybody this node serves in the room."""

    former: NodeId | None = None


Wish = Depart | LoseNode | SwitchRoster | StateOccupants


class Pace(StrEnum):
    """Which of a user's buckets a command is charged to."""

    MESSAGE = "message"
    JOIN = "join"


class PagedIn(msgspec.Struct, frozen=True):
    """What the archive has of one message (None: nothing), as of the snapshot kept at `saved`."""

    message: Message | None
    saved: int


class Waiting(msgspec.Struct, gc=False):
    """A command in a room's queue, or one whose append, or page, is not answered yet.

    Attributes:
        session: whose it is; None for the host's and the engine's own.
        request: the host's, if it asked.
        charged: which bucket was charged for it.
        claim: for a proposed join: the name it enters under.
        counted: it counts against the bounds on waiting commands.
        holding: later commands of its connection in this room wait for its answer.
        member: its connection was attached to the room when it was sent.
        answered: it is over: answered, or with nobody left to answer.
        paged: for an edit or a delete of an older message: what the archive has of it.
    """

    command: Command | HostCommand | Wish
    at: int
    connection: ConnectionId | None = None
    session: Session | None = None
    ref: str | None = None
    request: RequestId | None = None
    charged: Pace | None = None
    claim: str | None = None
    counted: bool = False
    holding: bool = False
    member: bool = False
    answered: bool = False
    paged: PagedIn | None = None


class BatchItem(msgspec.Struct, gc=False):
    """One fact of an append, the commands it answers, and where the store put it."""

    fact: facts.Fact
    key: str | None
    waiting: list[Waiting]
    data: bytes = b""
    position: Position | None = None
    at: int = 0
    duplicate: bool = False


class Batch(msgspec.Struct, gc=False):
    """The one append of a room that is in flight, or stored and not folded yet.

    Attributes:
        after: the room's tip when a control fact was judged.
        facts: what is stored, by link, once it is: an own entry need not be decoded.
        settled: how many of the items have been answered.
        uncertain: it ended as unknown once, so that a failure no longer says it is not stored.
        stored: the store has answered with positions.
    """

    items: list[BatchItem] = []
    nonce: Nonce | None = None
    fence: str = ""
    control: bool = False
    after: Position | None = None
    facts: dict[str, facts.Fact] = {}
    settled: int = 0
    uncertain: bool = False
    stored: bool = False


class Checkpoint(msgspec.Struct, gc=False):
    """A room as it was, to be saved: the messages that had changed, in the form they had then."""

    snapshot: Snapshot
    messages: tuple[Message, ...]


@dataclass(slots=True)
class Paging:
    """A page asked of the archive, when its snapshot was at `saved`, as far as we knew."""

    waiting: Waiting
    query: PageQuery
    limit: int
    saved: int


@dataclass(slots=True)
class NodeCount:
    """What another node said of its occupants in a room with the roster off, and when."""

    users: int
    sessions: int
    at: int


@dataclass(slots=True)
class Served:
    """A room this node serves: its fold, and what only this node knows of it.

    Attributes:
        room: None until it is loaded.
        members: attached connections; `legacy` of them speak protocol 1.
        fresh: protocol-1 members whose list of users is as of the last change of the roster.
        sessions: local sessions that occupy the room, in grace too.
        queue: commands waiting, in arrival order.
        batch: the append in flight.
        counted: waiting commands that count against the bound.
        behind: refusals in a row; `attempts`: failed calls in a row.
        idling: the FORGET timer is, or was, set since the room was used last.
        checked: seq of the last checkpoint; `checkpoints`: those not offered to the store yet.
        reload: why the fold was dropped, while it is being loaded again.
        paused: nothing is judged until the RETRY timer.
        tip_asked: our tip when the store's was asked for, None if it is not being asked;
            `saved_asked`: seq of the kept snapshot as we knew it then.
        tip_at: when it was compared last; `active_at`: when something was last folded or asked.
        counts: other nodes' occupancy; `low_since`: since when the sum allows a roster again.
    """

    name: RoomId
    room: Room | None = None
    history: History = field(default_factory=History)
    tail: Tail = field(default_factory=Tail)
    typists: Typists = field(default_factory=Typists)
    members: dict[ConnectionId, Connection] = field(default_factory=dict[ConnectionId, Connection])
    sessions: dict[SessionId, Local] = field(default_factory=dict[SessionId, Local])
    legacy: int = 0
    fresh: dict[ConnectionId, None] = field(default_factory=dict[ConnectionId, None])
    watchers: int = 0
    queue: deque[Waiting] = field(default_factory=deque[Waiting])
    batch: Batch | None = None
    pages: dict[int, Paging] = field(default_factory=dict[int, Paging])
    counted: int = 0
    behind: int = 0
    attempts: int = 0
    loading: bool = False
    reading: bool = False
    saving: bool = False
    idling: bool = False
    checked: int = 0
    checkpoints: deque[Checkpoint] = field(default_factory=deque[Checkpoint])
    paused: bool = False
    reload: str | None = None
    tip_asked: Position | None = None
    saved_asked: int = 0
    tip_at: int = 0
    active_at: int = 0
    counts: dict[NodeId, NodeCount] = field(default_factory=dict[NodeId, NodeCount])
    told: tuple[int, int] | None = None
    low_since: int | None = None


@dataclass(slots=True)
class State:
    """One node.

    Attributes:
        appends: counter of the last nonce; `pages`: number of the last page asked.
        waiting: commands waiting in all rooms that count against the bound.
        lease_asked: when the lease was asked for, None once it is answered.
        distrust_until: no lease is judged before this.
        lapsed_asked: when it was asked which nodes hold no lease, None once it is answered.
        unjudged: nodes that rosters name, to be asked after next.
    """

    node: NodeId
    connections: dict[ConnectionId, Connection] = field(
        default_factory=dict[ConnectionId, Connection]
    )
    sessions: dict[SessionId, Session] = field(default_factory=dict[SessionId, Session])
    users: dict[UserId, UserState] = field(default_factory=dict[UserId, UserState])
    rooms: dict[RoomId, Served] = field(default_factory=dict[RoomId, Served])
    timers: Timers = field(default_factory=Timers)
    appends: int = 0
    pages: int = 0
    waiting: int = 0
    lease_asked: int | None = None
    distrust_until: int = 0
    lapsed_asked: int | None = None
    unjudged: tuple[NodeId, ...] = ()
    draining: bool = False
