"""A host's eyes on rooms: their events, as they are broadcast."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio

from roomkit.core.events import Event
from roomkit.errors import WatcherTooSlow
from roomkit.ids import RoomId

__all__ = ["BUFFERED_EVENTS", "RoomEvents", "Watchers"]

BUFFERED_EVENTS = 1024
"""Events a watcher may be behind."""


class RoomEvents:
    """The events of one room, as an asynchronous iterator. Made by `Hub.events`.

    Watching begins when it is made. `async with` ends it at its end; a plain `async for` ends it
    when nothing refers to it any more, which for a loop that is left means at once. Iteration is
    over when the hub is left. One task at a time may iterate.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._more = anyio.Event()
        self._over = False
        self._too_slow = False
        self._let_go: Callable[[], object] = _nothing

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Return the next event.

        Raises:
            WatcherTooSlow: `BUFFERED_EVENTS` were waiting and another came; those have been
            returned.
        """
        while not self._events:
            if self._too_slow:
                raise WatcherTooSlow(
                    f"more than {BUFFERED_EVENTS} events of the room were waiting to be read: do "
                    "less between two of them, and call hub.events() again to go on from now"
                )
            if self._over:
                raise StopAsyncIteration
            self._more = anyio.Event()
            await self._more.wait()
        return self._events.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop watching; what is buffered is dropped. Repeating it is harmless."""
        self._events.clear()
        self.finish()
        self._let_go()

    def offer(self, event: Event) -> None:
        """Buffer an event; if there is no room for it, the watching ends."""
        if self._over or self._too_slow:
            return
        if len(self._events) < BUFFERED_EVENTS:
            self._events.append(event)
        else:
            self._too_slow = True
            self._let_go()
        self._more.set()

    def finish(self) -> None:
        """Let the iteration end after what is buffered."""
        self._over = True
        self._more.set()

    def when_let_go(self, let_go: Callable[[], object]) -> None:
        """Set what is called when nothing more is wanted; it must bear being called again."""
        self._let_go = let_go


class Watchers:
    """Who watches which room. They are held weakly, so that one nobody refers to any more ends.

    Attributes:
        gone: rooms with one watcher less, until the engine is told. It is filled while memory is
            reclaimed, at any moment and in any thread, so nothing more is done there.
    """

    def __init__(self) -> None:
        self._rooms: dict[RoomId, weakref.WeakSet[RoomEvents]] = {}
        self.gone: deque[RoomId] = deque()

    def watch(self, room: RoomId) -> RoomEvents:
        """Begin to watch; the caller tells the engine."""
        events = RoomEvents()
        ending = weakref.finalize(events, self.gone.append, room)
        ending.atexit = False
        events.when_let_go(ending)
        self._rooms.setdefault(room, weakref.WeakSet()).add(events)
        return events

    def offer(self, room: RoomId, event: Event) -> None:
        """Give an event to everybody who watches the room."""
        watching = self._rooms.get(room)
        if watching is not None:
            for events in tuple(watching):
                events.offer(event)
            if not watching:
                del self._rooms[room]

    def finish(self) -> None:
        """End every watching: the hub is being left."""
        for watching in self._rooms.values():
            for events in tuple(watching):
                events.finish()
        self._rooms.clear()


def _nothing() -> None:
    """Stands in until the watching is known."""
