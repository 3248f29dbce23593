"""The numbered vocabulary of trouble: error codes, close codes and the exceptions a host can meet.

Codes are stable: clients and hosts branch on them. The texts beside them are for people and may be
reworded. Which code is retryable, and which close code says "come back", is data in this file.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = [
    "CloseCode",
    "ErrorCode",
    "HubNotRunning",
    "Refused",
    "RoomkitError",
    "SettingsError",
    "StoreError",
    "TraceError",
    "WatcherTooSlow",
]


class ErrorCode(StrEnum):
    """What an `error` frame can say (protocol page, Error codes)."""

    BAD_FRAME = "bad_frame"
    UNKNOWN_TYPE = "unknown_type"
    BAD_ARGUMENT = "bad_argument"
    TOO_LARGE = "too_large"
    NOT_JOINED = "not_joined"
    ROOM_NOT_FOUND = "room_not_found"
    ROOM_FULL = "room_full"
    USERNAME_TAKEN = "username_taken"
    UNAUTHENTICATED = "unauthenticated"
    TOKEN_EXPIRED = "token_expired"
    FORBIDDEN = "forbidden"
    MUTED = "muted"
    BANNED = "banned"
    RATE_LIMITED = "rate_limited"
    SLOW_MODE = "slow_mode"
    REJECTED = "rejected"
    HOOK_TIMEOUT = "hook_timeout"
    VERSION_CONFLICT = "version_conflict"
    NOT_FOUND = "not_found"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"

    @property
    def retryable(self) -> bool:
        """True if the same request may succeed later without being changed."""
        return self in _RETRYABLE


_RETRYABLE = frozenset(
    {
        ErrorCode.ROOM_FULL,
        ErrorCode.TOKEN_EXPIRED,
        ErrorCode.RATE_LIMITED,
        ErrorCode.SLOW_MODE,
        ErrorCode.HOOK_TIMEOUT,
        ErrorCode.OVERLOADED,
        ErrorCode.UNAVAILABLE,
        ErrorCode.INTERNAL,
    }
)


class CloseCode(IntEnum):
    """Why the server closed a websocket: 4000-4499 come back, 4500-4999 do not."""

    DRAIN = 4000
    SLOW_CONSUMER = 4001
    HEARTBEAT_TIMEOUT = 4002
    INTERNAL = 4004
    SESSION_REPLACED = 4005
    TOKEN_EXPIRED = 4010
    TOO_MANY_FRAMES = 4020
    BAD_PROTOCOL = 4500
    UNAUTHENTICATED = 4501
    FORBIDDEN = 4502
    BANNED = 4503
    CONNECTION_LIMIT = 4504

    @property
    def reconnect(self) -> bool:
        """True if a client should come back by itself."""
        return self < 4500


class RoomkitError(Exception):
    """Base of every exception roomkit raises on purpose."""


class Refused(RoomkitError):
    """A command was judged and turned down; the room is exactly as it was.

    Attributes:
        code: why, from the stable table.
        message: for people: what was wrong, what was expected, what to do.
        retry_after_ms: how long to wait before the same command can succeed, or None.
    """

    def __init__(self, code: ErrorCode, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after_ms = retry_after_ms


class StoreError(RoomkitError):
    """A store could not do what was asked; the message says what the operator can do."""


class SettingsError(RoomkitError):
    """An operator's setting is wrong; the message names it, its value and what is accepted."""


class TraceError(RoomkitError):
    """A trace cannot be written or read; the message names the file and says what to do."""


class HubNotRunning(RoomkitError):
    """The hub was used before it was entered or after it was left."""


class WatcherTooSlow(RoomkitError):
    """`hub.events()` was not read fast enough and its buffer overflowed; open it again."""
