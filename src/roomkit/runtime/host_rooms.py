"""What a host does to rooms without a socket: posts, edits, deletes, kicks, reads.

Each call is a command to the engine like a client's, but for pacing and policy, which do not hold
the host. Each raises `HubNotRunning` if the hub is not entered. Cancelling one that writes does not
undo it: it may have been stored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

from roomkit.core.events import Acked, Event, HistoryListed, RosterListed, User
from roomkit.core.inputs import (
    HostCommand,
    HostDelete,
    HostEdit,
    HostHistory,
    HostKick,
    HostPost,
    HostUsers,
)
from roomkit.ids import RoomId, UserId, message_id
from roomkit.runtime.requests import PostResult, RevisionResult

__all__ = ["HostRooms"]

_Answer = TypeVar("_Answer", bound=Event)


class HostRooms(ABC):
    """The part of a hub that speaks for the host."""

    @abstractmethod
    async def _ask(self, command: HostCommand, kind: type[_Answer]) -> _Answer:
        """Hand a command to the engine and return its answer."""

    async def post(
        self,
        room: str,
        text: str,
        *,
        as_: User | None = None,
        idempotency_key: str | None = None,
        reply_to: str | None = None,
        meta: dict[str, object] | None = None,
    ) -> PostResult:
        """Post a message; it is stored when this returns.

        Args:
            as_: the author; None for a message of type "system".
            idempotency_key: posting again with the same key and author adds nothing, for
                `Limits.idempotency_ms`.
            reply_to: the id of the message answered.
            meta: carried and never read.

        Raises:
            Refused: it was not posted; with `unavailable` nobody can say: post again with a key.
        """
        command = HostPost(RoomId(room), text, as_, idempotency_key, reply_to, meta)
        done = await self._ask(command, Acked)
        if done.position is None:
            raise TypeError("the engine acknowledged a post without saying where it is")
        return PostResult(
            room=command.room,
            id=message_id(done.position),
            seq=done.position.seq,
            link=done.position.link,
            at=done.at,
            duplicate=done.duplicate,
        )

    async def edit(
        self, room: str, id: str, text: str, *, by: str = "host", if_version: int | None = None
    ) -> RevisionResult:
        """Give a message another text, whoever wrote it; it is stored when this returns.

        Args:
            id: of the message, as in `PostResult.id`.
            by: the user id told as who edited it.
            if_version: only if the message still is this version of itself.

        Raises:
            Refused: not_found (deleted messages too), version_conflict, or the text is none.
        """
        command = HostEdit(RoomId(room), id, text, UserId(by), if_version)
        return _revision(await self._ask(command, Acked))

    async def delete(
        self,
        room: str,
        id: str,
        *,
        by: str = "host",
        reason: str | None = None,
        if_version: int | None = None,
    ) -> RevisionResult:
        """Delete a message, whoever wrote it: what stays of it is a tombstone, for ever.

        Args:
            id: of the message, as in `PostResult.id`.
            by: the user id told as who deleted it.
            reason: told to everybody.
            if_version: only if the message still is this version of itself.

        Raises:
            Refused: not_found (deleted messages too), or version_conflict.
        """
        command = HostDelete(RoomId(room), id, UserId(by), reason, if_version)
        return _revision(await self._ask(command, Acked))

    async def kick(
        self, room: str, user_id: str, *, reason: str | None = None, by: str = "host"
    ) -> None:
        """Put a user out of a room; nothing stops the user from coming back.

        Raises:
            Refused: not_found if the user is not there.
        """
        await self._ask(HostKick(RoomId(room), UserId(user_id), by, reason), Acked)

    async def history(
        self,
        room: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int | None = None,
    ) -> HistoryListed:
        """Return a page of messages: the newest, or those before, after or around a seq.

        Raises:
            Refused: more than one of the three was given, or the limit is out of range.
        """
        command = HostHistory(RoomId(room), before, after, around, limit)
        return await self._ask(command, HistoryListed)

    async def users(
        self, room: str, *, after: str | None = None, limit: int | None = None
    ) -> RosterListed:
        """Return who is in a room: users whose id sorts after `after`.

        Raises:
            Refused: the limit is out of range.
        """
        return await self._ask(HostUsers(RoomId(room), after, limit), RosterListed)


def _revision(done: Acked) -> RevisionResult:
    if done.position is None or done.room is None or done.message is None or done.version is None:
        raise TypeError("the engine acknowledged a revision without saying of what")
    return RevisionResult(
        room=done.room,
        id=done.message,
        version=done.version,
        seq=done.position.seq,
        link=done.position.link,
        at=done.at,
    )
