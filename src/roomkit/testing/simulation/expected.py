"""What a client must be shown, from the model: the protocol page's data, written out once more."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from roomkit.core.events import Message, OccupantView

__all__ = ["Data", "message_shown", "occupant_shown"]

Data = dict[str, object]


def message_shown(room: str, message: Message) -> Data:
    """Return the data of a message in its present form (protocol page, Messages)."""
    data: Data = {
        "room": room,
        "seq": message.seq,
        "link": message.link,
        "username": message.username,
        "message": message.text,
        "timestamp": _iso(message.at),
        "type": "system" if message.system else "message",
        "id": f"{message.seq}-{message.link}",
    }
    if message.user_id:
        data["user_id"] = message.user_id
    if message.version != 1:
        data["version"] = message.version
    for name in ("idempotency_key", "reply_to", "meta"):
        if (value := getattr(message, name)) is not None:
            data[name] = value
    for name in ("edited", "deleted"):
        if (at := getattr(message, name)) is not None:
            data[name] = _iso(at)
    return data


def occupant_shown(view: OccupantView) -> Data:
    """Return the data of a user in a room."""
    data: Data = {
        "user_id": view.user_id,
        "username": view.username,
        "sessions": view.sessions,
        "since": _iso(view.since),
    }
    if view.meta is not None:
        data["meta"] = view.meta
    return data


def _iso(at: int) -> str:
    return f"{_second(at // 1000)}.{at % 1000:03d}Z"


@lru_cache(maxsize=4_096)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
