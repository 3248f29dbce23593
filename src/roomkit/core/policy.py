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

__all__ = ["Action", "Policy", "allow_everything"]


class Action(StrEnum):
    """What a policy is asked about. A room's `you.can` lists those allowed, in this order.

    `CREATE` is asked in addition to `JOIN` when the room has no log yet; refusing it turns creating
    rooms off (`room_not_found`).
    """

    CREATE = "create"
    JOIN = "join"
    SEND = "send"
    TYPE = "type"
    HISTORY = "history"
    USERS = "users"
    SIGNAL = "signal"


Policy = Callable[[User, RoomId, Action], bool]


def allow_everything(user: User, room: RoomId, action: Action) -> bool:
    """Say yes to everything: the default."""
    return True
