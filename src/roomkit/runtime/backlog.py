"""Whether a socket has taken all it was given; for adapters whose transports are prompt."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from roomkit.runtime.transport import TransportClosed

__all__ = ["Backlog"]


class Backlog:
    """What a socket keeps back of what was written to it: nothing, or something.

    An adapter reports to it what its library tells: `change` from `pause_writing` and
    `resume_writing` of an `asyncio.Protocol` whose transport has a high-water mark of 0, `end` as
    soon as the websocket begins to close. It is then all that `PromptTransport.watch` and a `send`
    that waits need.

    Attributes:
        taken: all that was written has been taken, and more may be written.
    """

    __slots__ = ("_changed", "_event", "_over", "taken")

    def __init__(self) -> None:
        self.taken = True
        self._over = False
        self._changed: Callable[[bool], None] | None = None
        self._event: anyio.Event | None = None

    def watch(self, changed: Callable[[bool], None]) -> bool:
        """See `PromptTransport.watch`."""
        self._changed = changed
        return self.taken

    def change(self, taken: bool) -> None:
        """Something is kept back, or all of it has been taken."""
        if taken and self._over:
            return
        if taken is not self.taken:
            self.taken = taken
            if self._changed is not None:
                self._changed(taken)
        if taken:
            self._wake()

    def end(self) -> None:
        """Nothing more may be written."""
        self._over = True
        self.change(False)
        self._wake()

    async def drained(self) -> None:
        """Wait until all has been taken.

        Raises:
            TransportClosed: the websocket closes, or is closed.
        """
        while not self.taken:
            if self._over:
                raise TransportClosed
            if self._event is None:
                self._event = anyio.Event()
            await self._event.wait()

    def _wake(self) -> None:
        if self._event is not None:
            self._event.set()
            self._event = None
