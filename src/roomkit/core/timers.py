"""One table of named timers and the nearest deadline. Firing early or twice does no harm.

Each timer is a name and a key (a room, a session, a connection, a user, or "" for the node).
Setting it again moves it. This file must not know what any of them is for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from enum import StrEnum

__all__ = ["Timer", "Timers"]

_SLACK = 64


class Timer(StrEnum):
    """Why the engine may want to be woken."""

    SILENT = "silent"
    """when an accepted connection has sent nothing for too long"""
    HEARTBEAT = "heartbeat"
    """when a protocol-2 connection has been quiet: ping it, then give it up"""
    GRACE = "grace"
    """when a session whose connection dropped has been away too long"""
    USER = "user"
    """when a user without sessions has no pacing debt left to remember"""
    TYPING = "typing"
    """when the first typist of a room expires"""
    LEGACY_ROSTER = "legacy_roster"
    """when protocol-1 members are due a fresh room_users (at once: the end of this tick)"""
    UNANSWERED = "unanswered"
    """when the oldest waiting command of a room has waited too long"""
    RETRY = "retry"
    """when a room's failed or unsettled store call is to be made again"""
    OCCUPANCY = "occupancy"
    """when a room with its roster off counts its occupants"""
    JUDGE = "judge"
    """when commands that came together are judged together (at once: the end of this tick)"""
    FORGET = "forget"
    """when a room nobody uses can be let go"""
    TIPS = "tips"
    """when tips are to be compared with the store's"""
    LEASE = "lease"
    """when this node's lease is to be renewed and others' looked at"""


class Timers:
    """Set, move, cancel, and take what is due. All times in monotonic milliseconds."""

    __slots__ = ("_heap", "_table")

    def __init__(self) -> None:
        self._table: dict[tuple[Timer, str], int] = {}
        self._heap: list[tuple[int, Timer, str]] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timers) and self._table == other._table

    __hash__ = None  # type: ignore[assignment]  # mutable: equality is by content

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[tuple[Timer, str, int]]:
        """Yield what is set: timer, key and when it is due."""
        return ((timer, key, at) for (timer, key), at in self._table.items())

    def __contains__(self, timer: tuple[Timer, str]) -> bool:
        return timer in self._table

    def set(self, timer: Timer, key: str, at: int) -> None:
        """Fire at `at`, and no longer when it was due before."""
        name = (timer, key)
        before = self._table.get(name)
        self._table[name] = at
        if before is None or at < before:
            heap = self._heap
            heapq.heappush(heap, (at, timer, key))
            if len(heap) > _SLACK + 2 * len(self._table):
                heap[:] = [(at, timer, key) for (timer, key), at in self._table.items()]
                heapq.heapify(heap)

    def set_if_unset(self, timer: Timer, key: str, at: int) -> None:
        """Fire at `at` unless it is due at some time already."""
        if (timer, key) not in self._table:
            self.set(timer, key, at)

    def cancel(self, timer: Timer, key: str) -> None:
        """Do not fire. Harmless if it was not set."""
        self._table.pop((timer, key), None)

    @property
    def next_deadline(self) -> int | None:
        """When the nearest timer is due, or None if none is set."""
        heap = self._heap
        if heap:
            at, timer, key = heap[0]
            if self._table.get((timer, key)) == at:
                return at
            self._settle()
        return heap[0][0] if heap else None

    def take_due(self, now: int) -> Iterator[tuple[Timer, str]]:
        """Yield the timers due at `now`, nearest first, each unset before it is yielded."""
        while (deadline := self.next_deadline) is not None and deadline <= now:
            _, timer, key = heapq.heappop(self._heap)
            del self._table[(timer, key)]
            yield timer, key

    def _settle(self) -> None:
        """Make the top of the heap a timer that is really due then."""
        heap, table = self._heap, self._table
        while heap:
            at, timer, key = heap[0]
            wanted = table.get((timer, key))
            if wanted == at:
                return
            if wanted is not None and wanted > at:
                heapq.heapreplace(heap, (wanted, timer, key))
            else:
                heapq.heappop(heap)
