"""A replica of the store that lags behind, and a failover to it: what was written since is lost.

The log goes on from where the replica was, so the same seqs come again with other messages.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from copy import copy

from roomkit.ids import RoomId
from roomkit.stores.memory import (
    MemoryStore,
    _Shared,  # pyright: ignore[reportPrivateUsage]  # a failover is no call
)
from roomkit.stores.memory_room import MemoryRoom
from roomkit.testing.world import World

__all__ = ["Replica"]


class Replica:
    """The second copy of a `MemoryStore`. Of another store there is none.

    Leases are the same in both: what becomes of those that are lost is what becomes of nodes that
    pause.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._rooms: OrderedDict[RoomId, MemoryRoom] | None = None

    @property
    def ready(self) -> bool:
        """Whether there is anything to fail over to."""
        return self._rooms is not None

    def catch_up(self) -> None:
        """Copy everything the store has now."""
        shared = self._shared()
        if shared is not None:
            self._rooms = OrderedDict((name, _copied(room)) for name, room in shared.rooms.items())

    def take_over(self, lost: Callable[[dict[RoomId, int]], None]) -> None:
        """Become the store; there is no replica then.

        Args:
            lost: is told, before anything else happens, the seq above which each room's entries are
                lost; of rooms it is not told of, all are.
        """
        shared, rooms = self._shared(), self._rooms
        if shared is None or rooms is None:
            return
        shared.rooms, shared.names, self._rooms = rooms, sorted(rooms), None
        lost({name: room.tip_seq for name, room in rooms.items()})

    def _shared(self) -> _Shared | None:
        """Return what all nodes' handles have in common."""
        store = self._world.handle()
        if not isinstance(store, MemoryStore):
            return None
        return store._shared  # pyright: ignore[reportPrivateUsage]  # a failover is no call


def _copied(room: MemoryRoom) -> MemoryRoom:
    """Return a room that goes its own way from here; the values it keeps are never changed."""
    twin = copy(room)
    for name, value in vars(room).items():
        if isinstance(value, list | dict | deque):
            setattr(twin, name, copy(value))  # pyright: ignore[reportUnknownArgumentType]  # of any
    return twin
