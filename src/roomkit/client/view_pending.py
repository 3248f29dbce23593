"""Our own messages until the room shows them: the visible half of the outbox.

Pure, as `roomkit.client.view_room` is. A message leaves when the room shows its key as ours, or
when the position has passed the seq it was acknowledged at.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from roomkit.client.view_data import Message, Pending, Problem, RoomView

__all__ = ["acked", "failed", "queued", "settled", "shown_in", "withdrawn"]


def queued(room: RoomView, pending: Pending) -> RoomView:
    """Add a message at the end of those to be sent."""
    return replace(room, pending=(*room.pending, pending))


def acked(room: RoomView, key: str, seq: int) -> RoomView:
    """The server has stored the message as the entry `seq`; a word that comes late counts too."""
    sent = tuple(
        replace(one, state="sent", seq=seq, problem=None) if one.key == key else one
        for one in room.pending
    )
    return settled(replace(room, pending=sent))


def failed(room: RoomView, keys: AbstractSet[str], problem: Problem) -> RoomView:
    """These messages are not sent any more; they stay, to be shown as failed."""
    return replace(
        room,
        pending=tuple(
            replace(one, state="failed", problem=problem) if one.key in keys else one
            for one in room.pending
        ),
    )


def withdrawn(room: RoomView, key: str) -> RoomView:
    """Forget a message."""
    return replace(room, pending=tuple(one for one in room.pending if one.key != key))


def settled(room: RoomView, shown: AbstractSet[str] = frozenset()) -> RoomView:
    """Drop what the room shows: by key, or acknowledged at a seq the position has passed."""
    at = room.position.seq if room.position is not None else 0
    rest = tuple(
        one
        for one in room.pending
        if one.key not in shown and not (one.seq is not None and one.seq <= at)
    )
    return room if len(rest) == len(room.pending) else replace(room, pending=rest)


def shown_in(messages: Iterable[Message], user_id: str | None) -> frozenset[str]:
    """Return the keys of our own among messages."""
    return frozenset(
        message["idempotency_key"]
        for message in messages
        if "idempotency_key" in message and message.get("user_id") == user_id
    )
