"""What a client of protocol 1 holds: a reducer over frames, for it may be sent eight types only."""

from __future__ import annotations

from typing import TypedDict, cast

import msgspec

from roomkit.core.events import Event
from roomkit.testing.laws.broken import LawBroken
from roomkit.wire import Codec

__all__ = ["ALLOWED", "LegacyView"]

ALLOWED = frozenset(
    {
        "message_history",
        "room_users",
        "user_joined",
        "user_left",
        "new_message",
        "user_typing",
        "user_stopped_typing",
        "error",
    }
)


class _Data(TypedDict, total=False):
    room: str
    users: list[str]
    messages: list[dict[str, object]]
    message: str


class LegacyView:
    """A client of the seed: the room it entered last, who is there, what was said, who types.

    Attributes:
        room: the room of the last snapshot, None before the first.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._entering: str | None = None
        self.room: str | None = None
        self.users: list[str] = []
        self.texts: list[str] = []
        self.typing: list[str] = []

    def apply(self, event: Event) -> None:
        """Take one event, as the frames it is told in.

        Raises:
            LawBroken: they may not come here (law 10).
        """
        for frame in self._codec.encode(event, 1):
            self.take(frame)

    def take(self, frame: bytes) -> None:
        """Take one frame.

        Raises:
            LawBroken: it may not come here (law 10).
        """
        decoded: dict[str, object] = msgspec.json.decode(frame)
        self._take(str(decoded["type"]), cast("_Data", decoded["data"]))

    def disconnected(self) -> None:
        """Nothing comes any more."""
        self.room = self._entering = None

    def _take(self, kind: str, data: _Data) -> None:
        if kind not in ALLOWED:
            raise LawBroken(10, f"protocol 1 was sent {kind}")
        room, entering = data.get("room"), self._entering
        self._entering = None
        if entering is not None:
            if (kind, room) != ("room_users", entering):
                raise LawBroken(
                    10, f"{kind} came between the two frames of {entering!r}'s snapshot"
                )
            self.room, self.users, self.typing = room, data.get("users", []), []
        elif kind == "message_history":
            self._entering = room
            self.texts = [str(message["message"]) for message in data.get("messages", [])]
        elif kind != "error":
            if room is None or room != self.room:
                raise LawBroken(10, f"{kind} of {room!r} came before its snapshot")
            self._live(kind, data)

    def _live(self, kind: str, data: _Data) -> None:
        if kind == "room_users":
            self.users = data.get("users", [])
        elif kind == "new_message":
            self.texts.append(data.get("message", ""))
        elif kind in ("user_typing", "user_stopped_typing"):
            self.typing = data.get("users", [])
