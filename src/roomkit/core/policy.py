"""The host's rule on who may do what where: pure, synchronous, asked at every command.

A policy sees the verified user, the room and the action, and answers yes or no. It must not block,
await or remember; what it needs to know it has been given before (a dict the host keeps current,
say).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from roomkit.core.events import User
from roomkit.ids import RoomId

__all__ = ["Action", "Policy", "allow_own"]


class Action(StrEnum):
    """What a policy is asked about. A room's `you.can` lists those allowed, in this order.

    `CREATE` is asked in addition to `JOIN` when the room has no log yet; refusing it turns creating
    rooms off (`room_not_found`). `EDIT` and `DELETE` are about one's own messages; `MODERATE` is
    asked instead of them when the message is somebody else's, so allow it to few.
    """

    CREATE = "create"
    JOIN = "join"
    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"
    TYPE = "type"
    HISTORY = "history"
    USERS = "users"
    SIGNAL = "signal"
    MODERATE = "moderate"


Policy = Callable[[User, RoomId, Action], bool]


def allow_own(user: User, room: RoomId, action: Action) -> bool:
    """Let everybody do everything, but not with what others wrote: the default."""
    return action is not Action.MODERATE
