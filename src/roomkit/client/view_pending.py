"""Our own messages until the room shows them: the visible half of the outbox.

Pure, as `roomkit.client.view_room` is. A message leaves when the room shows its key as ours, or
when the position has passed the seq it was acknowledged at. One that is shown before its `ack` is
unconfirmed until that comes: a failover may still take what is shown, not what is acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from roomkit.client.view_data import Message, Pending, Problem, RoomView

__all__ = ["acked", "failed", "queued", "replaced", "settled", "shown_in", "withdrawn"]


def queued(room: RoomView, pending: Pending) -> RoomView:
    """Add a message at the end of those to be sent."""
    return replace(room, pending=(*room.pending, pending))


def acked(room: RoomView, key: str, seq: int) -> RoomView:
    """The server has stored the message as the entry `seq`; a word that comes late counts too."""
    sent = tuple(
        replace(one, state="sent", seq=seq, problem=None) if one.key == key else one
        for one in room.pending
    )
    rest = tuple(one for one in room.unconfirmed if one.key != key)
    return settled(replace(room, pending=sent, unconfirmed=rest))


def failed(room: RoomView, keys: AbstractSet[str], problem: Problem) -> RoomView:
    """These messages are not sent any more; they stay as failed, if the room does not show them."""
    return replace(
        room,
        unconfirmed=tuple(one for one in room.unconfirmed if one.key not in keys),
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
    if len(rest) == len(room.pending):
        return room
    seen = [one for one in room.pending if one.key in shown and one.state == "sending"]
    return replace(room, pending=rest, unconfirmed=(*room.unconfirmed, *seen))


def replaced(room: RoomView, shown: AbstractSet[str]) -> RoomView:
    """All that is held is new: what is unconfirmed may not be shown any more."""
    return settled(replace(room, pending=(*room.unconfirmed, *room.pending), unconfirmed=()), shown)


def shown_in(messages: Iterable[Message], user_id: str | None) -> frozenset[str]:
    """Return the keys of our own among messages."""
    return frozenset(
        message["idempotency_key"]
        for message in messages
        if "idempotency_key" in message and message.get("user_id") == user_id
    )
