"""What the server says to one connection about the connection itself, or about a command it sent.

The types are the published schema (`roomkit.wire.schema`), so their docstrings are read by people
who write clients. A field that is `UNSET` is left out of the frame.
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from roomkit.errors import ErrorCode
from roomkit.limits import Limits
from roomkit.wire.envelope import Data, Frame, Link, Timestamp

__all__ = [
    "AckData",
    "AckFrame",
    "ErrorData",
    "ErrorFrame",
    "ReconnectData",
    "ReconnectFrame",
    "ServerPingData",
    "ServerPingFrame",
    "ServerPongData",
    "ServerPongFrame",
    "WelcomeData",
    "WelcomeFrame",
    "WelcomedUser",
]


class WelcomedUser(Data, frozen=True, kw_only=True):
    """Who the server says the reader is."""

    user_id: str
    username: str


class WelcomeData(Data, frozen=True, kw_only=True):
    """What the connection can count on.

    Attributes:
        features: of those asked for in `hello`, the ones this server has.
        session: which tab this is; a secret, to be presented in the next `hello`.
        guest_token: who a guest is; a secret, to be kept by the browser and shared by its tabs.
        resumed: true if the session presented still held its rooms.
        durability: what the store promises of a message that was acknowledged.
        heartbeat_ms: a `ping` comes this often.
        limits: every limit and period of the server.
    """

    protocol: int
    features: tuple[str, ...]
    connection_id: str
    session: str
    user: WelcomedUser
    resumed: bool
    server_time: Timestamp
    durability: str
    heartbeat_ms: int
    limits: Limits
    guest_token: str | UnsetType = UNSET


class WelcomeFrame(Frame, frozen=True, tag="welcome"):
    """Answers `hello`."""

    data: WelcomeData


class AckData(Data, frozen=True, kw_only=True):
    """What became of a command.

    Attributes:
        ref: of the command.
        room: of a message; likewise `id`, `seq`, `link` and `timestamp`.
        seq: of the entry: of the message itself, or of its edit or deletion; likewise `link`.
        version: after an edit or a deletion, of the message.
        duplicate: of a message sent: true if an earlier send with the same key made it.
    """

    ref: str
    room: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    link: Link | UnsetType = UNSET
    timestamp: Timestamp | UnsetType = UNSET
    duplicate: bool | UnsetType = UNSET
    version: int | UnsetType = UNSET


class AckFrame(Frame, frozen=True, tag="ack"):
    """The command with this `ref` is done. It never moves a client's position."""

    data: AckData


class ErrorData(Data, frozen=True, kw_only=True):
    """Why a frame was refused; nothing was changed.

    Attributes:
        message: for people; may be reworded.
        code: stable, for programs.
        retryable: true if the same command may succeed later without being changed.
        retry_after_ms: how long to wait before that.
    """

    message: str
    code: ErrorCode
    retryable: bool
    ref: str | UnsetType = UNSET
    room: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET


class ErrorFrame(Frame, frozen=True, tag="error"):
    """A frame was refused; the connection stays."""

    data: ErrorData


class ServerPingData(Data, frozen=True, kw_only=True):
    """To be sent back as `t` of `pong`."""

    t: int


class ServerPingFrame(Frame, frozen=True, tag="ping"):
    """Is anybody there? To be answered with `pong`."""

    data: ServerPingData


class ServerPongData(Data, frozen=True, kw_only=True):
    """`t` and `ref` of the `ping`, and the server's time."""

    server_time: Timestamp
    t: int | UnsetType = UNSET
    ref: str | UnsetType = UNSET


class ServerPongFrame(Frame, frozen=True, tag="pong"):
    """Answers the client's `ping`."""

    data: ServerPongData


class ReconnectData(Data, frozen=True, kw_only=True):
    """Come back after `after_ms` and up to `max_jitter_ms` more, chosen at random."""

    after_ms: int
    max_jitter_ms: int
    reason: str


class ReconnectFrame(Frame, frozen=True, tag="reconnect"):
    """The server is about to go."""

    data: ReconnectData
