"""What the servers written by hand have in common: rooms as people keep them, roomkit's frames.

The frames are protocol 2's, with the same fields, so that bytes and work compare: a welcome, a
snapshot for whoever joins, one roster event for the others, and the message. Nothing is kept,
limited, ordered or acknowledged.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

import msgspec

from roomkit import Limits

__all__ = ["PADDING", "Chat", "Room", "Said"]

_LINK = "d6e259f68ce7ca2b"
_ROSTER_LIMIT = 200
"""As roomkit does, rooms of more list nobody."""

PADDING = b" " * 183
"""As long as what roomkit adds to a message's own frame, about."""

Socket = TypeVar("Socket")
Occupant = dict[str, object]


class Said(NamedTuple, Generic[Socket]):
    """What to send: to whoever spoke, and to a room.

    Attributes:
        answers: to whoever spoke, before anything else.
        others: to whom `event` goes.
    """

    answers: tuple[str, ...] = ()
    others: tuple[Socket, ...] | list[Socket] = ()
    event: str = ""


class Room(Generic[Socket]):
    """Who is in it, and how many events it has had."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.occupants: list[Occupant] = []
        self.seq = 0


class Chat(Generic[Socket]):
    """All rooms of a server."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room[Socket]] = {}
        self._names: dict[Socket, str] = {}
        self._welcome = _welcome()

    def hear(self, socket: Socket, frame: str | bytes) -> Said[Socket]:
        """Take a frame, and return what is to be sent."""
        given = json.loads(frame)
        data = given["data"]
        if given["type"] == "hello":
            self._names[socket] = data["username"]
            return Said((self._welcome,))
        room = self._rooms.setdefault(data["room"], Room[Socket]())
        room.seq += 1
        name = self._names[socket]
        if given["type"] == "send_message":
            return Said((), room.sockets, _message(data["room"], room.seq, name, data["message"]))
        return self._join(room, data["room"], socket, name)

    def gone(self, socket: Socket) -> None:
        """Forget somebody."""
        self._names.pop(socket, None)
        for room in self._rooms.values():
            if socket in room.sockets:
                place = room.sockets.index(socket)
                del room.sockets[place]
                del room.occupants[place]

    def _join(self, room: Room[Socket], called: str, socket: Socket, name: str) -> Said[Socket]:
        shown = len(room.sockets) < _ROSTER_LIMIT
        others = tuple(room.sockets) if shown else ()
        occupant: Occupant = {
            "user_id": f"guest-{name}", "username": name, "sessions": 1, "since": _now(),
        }  # fmt: skip
        room.sockets.append(socket)
        room.occupants.append(occupant)
        place = {"room": called, "seq": room.seq, "link": _LINK}
        snapshot: dict[str, object] = {
            **place, "recovered": None, "gap": None,
            "you": {"role": "participant", "can": ["send", "edit", "delete", "type", "history"]},
            "total": len(room.sockets), "roster": "on" if shown else "off",
            "occupants": room.occupants if shown else [], "messages": [], "has_before": False,
            "complete": True, "typing": {"users": [], "total": 0, "expires_ms": 6000},
        }  # fmt: skip
        event = {**place, "shown": shown, "joined": [occupant], "left": [], "changed": []}
        answer = json.dumps({"type": "room_joined", "data": snapshot})
        return Said((answer,), others, json.dumps({"type": "roster_changed", "data": event}))


def _message(room: str, seq: int, name: str, text: str) -> str:
    said = {
        "room": room, "seq": seq, "link": _LINK, "id": f"{seq}-{_LINK}", "username": name,
        "user_id": f"guest-{name}", "message": text, "type": "message", "timestamp": _now(),
    }  # fmt: skip
    return json.dumps({"type": "new_message", "data": said})


def _welcome() -> str:
    data: dict[str, object] = {
        "protocol": 2, "features": [], "connection_id": _LINK, "session": f"1.{_LINK}." + "s" * 43,
        "guest_token": f"1.{_LINK}." + "t" * 43, "resumed": False, "server_time": _now(),
        "durability": "memory", "heartbeat_ms": 25000, "limits": msgspec.to_builtins(Limits()),
    }  # fmt: skip
    return json.dumps({"type": "welcome", "data": data})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
