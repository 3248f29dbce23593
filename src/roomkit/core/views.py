"""The people and messages that events are about: plain values, shown to clients as they are."""

from __future__ import annotations

import msgspec

from roomkit.core.commands import Meta
from roomkit.ids import UserId

__all__ = ["Departed", "Message", "OccupantChanged", "OccupantView", "User"]


class User(msgspec.Struct, frozen=True):
    """Who somebody is, as the host verified it.

    Attributes:
        user_id: opaque, unique, stable.
        username: what others see; checked like a guest's.
        guest: True if the name was the user's own wish and nobody vouches for it.
    """

    user_id: UserId
    username: str
    guest: bool = False


class Message(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One message in its final form.

    Attributes:
        at: milliseconds since the Unix epoch, by the store.
        system: True for what the host posts in its own name.
        reply_to: the id of the message answered, as the author gave it.
        version: 1 as posted, and one more with each edit and delete.
        edited: when it was edited last (ms since the Unix epoch), None if never.
        deleted: when it was deleted, None if it was not. What is left then is a tombstone, for
            ever: no text, no `meta`, no `reply_to`, and `edited` is None.
    """

    seq: int
    link: str
    at: int
    user_id: UserId
    username: str
    text: str
    system: bool = False
    idempotency_key: str | None = None
    reply_to: str | None = None
    meta: Meta | None = None
    version: int = 1
    edited: int | None = None
    deleted: int | None = None


class OccupantView(msgspec.Struct, frozen=True):
    """A user in a room: `sessions` live tabs, there since `since` (ms since the Unix epoch)."""

    user_id: UserId
    username: str
    sessions: int
    since: int
    meta: Meta | None = None


class Departed(msgspec.Struct, frozen=True):
    """A user whose last session left. `reason`.

    Left, dropped, replaced, node_lost, restated, kicked.
    """

    user_id: UserId
    username: str
    reason: str


class OccupantChanged(msgspec.Struct, frozen=True):
    """A user already there who now has `sessions` sessions."""

    user_id: UserId
    sessions: int
