"""What a program reads of a room: its events, in order, bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import anyio
import msgspec

from roomkit.client.errors import ReaderTooSlow

__all__ = ["BUFFERED_EVENTS", "Event", "RoomEvents"]

BUFFERED_EVENTS = 1024
"""Events a reader may be behind."""


class Event(msgspec.Struct, frozen=True):
    """Something happened in a room; its view shows it already.

    Attributes:
        room: name of the room.
        type: of the frame that told it (protocol page): `new_message`, `message_edited`,
            `roster_changed`, `room_joined`, `room_gap` and so on.
        data: the frame's data, as the server sent it.
    """

    room: str
    type: str
    data: Mapping[str, object]


class RoomEvents:
    """The events of one room, as an asynchronous iterator. Made by `Room.events`.

    Reading begins when it is made, and ends with the block of `async with`, or when nothing refers
    to it any more. One task at a time may iterate. Cancelling loses no event.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._more = anyio.Event()
        self._over = False
        self._error: Exception | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Return the next event; the iteration is over when the room was left.

        Raises:
            Refused: the server does not let us into the room.
            ChatStopped: the client has stopped by itself; what came before has been returned.
            ReaderTooSlow: `BUFFERED_EVENTS` were waiting and another came; those have been
                returned.
        """
        while not self._events:
            if self._error is not None:
                raise self._error
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
        self._events.clear()
        self.finish(None)

    def offer(self, event: Event) -> None:
        """Buffer an event; if there is no room for it, the reading ends."""
        if self._over:
            return
        if len(self._events) < BUFFERED_EVENTS:
            self._events.append(event)
            self._more.set()
        else:
            self.finish(
                ReaderTooSlow(
                    f"more than {BUFFERED_EVENTS} events of the room were waiting to be read: do "
                    "less between two of them, and iterate again to go on from now"
                )
            )

    def finish(self, error: Exception | None) -> None:
        """Let the iteration end after what is buffered."""
        if not self._over:
            self._over, self._error = True, error
            self._more.set()
