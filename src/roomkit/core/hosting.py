"""What the host does to people in a room: putting them out."""

from __future__ import annotations

from roomkit.core import facts
from roomkit.core.batch import propose
from roomkit.core.events import Acked
from roomkit.core.inputs import HostKick
from roomkit.core.state import Batch, BatchItem, Served, Waiting
from roomkit.core.turn import Turn
from roomkit.errors import ErrorCode, Refused
from roomkit.ids import UserId

__all__ = ["host_kick", "kicked"]


def host_kick(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose that a user is put out of the room; nothing stops the user from coming back."""
    command, room = waiting.command, served.room
    assert isinstance(command, HostKick) and room is not None
    username = _username(served, command.user_id)
    if username is None and room.shown:
        raise Refused(ErrorCode.NOT_FOUND, f"{command.user_id!r} is not in this room")
    fact = facts.Moderated(
        "kick", command.user_id, username or command.user_id, command.by, command.reason
    )
    propose(batch, fact, waiting)


def kicked(turn: Turn, served: Served, item: BatchItem, waiting: Waiting) -> None:
    """Answer a kick that is folded."""
    turn.finish(served, waiting, Acked("", served.name, item.position, item.at))


def _username(served: Served, user_id: UserId) -> str | None:
    """Return the name a user is known by here; with the roster off only this node's are known."""
    room = served.room
    if room is not None and user_id in room.roster:
        return room.roster[user_id].username
    for local in served.sessions.values():
        if local.session.user.user_id == user_id:
            return local.username
    return None
