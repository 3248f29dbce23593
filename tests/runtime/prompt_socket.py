"""A socket that can be written to at once, as far as it is told to take what it gets."""

from __future__ import annotations

from collections.abc import Callable

from roomkit import Handshake
from roomkit.testing.unframing import texts_in

__all__ = ["PromptSocket"]


class PromptSocket:
    """A `PromptTransport` that keeps what it was sent.

    Attributes:
        written: the messages of each `write`.
        takes: while False a write is kept back, and it tells so.
        broken: while True a write raises.
    """

    handshake = Handshake({})

    def __init__(self) -> None:
        self.written: list[list[bytes]] = []
        self.takes = True
        self.broken = False
        self._taken = True
        self._changed: Callable[[bool], None] | None = None

    def watch(self, changed: Callable[[bool], None]) -> bool:
        self._changed = changed
        return self._taken

    def write(self, framed: bytes, /) -> None:
        assert self._taken, "written to while something is kept back"
        if self.broken:
            raise ZeroDivisionError
        self.written.append(list(texts_in(framed)))
        if not self.takes:
            self.tell(False)

    def listen(self, heard: Callable[[str | bytes], bool]) -> None:
        raise NotImplementedError

    def tell(self, taken: bool) -> None:
        """Be full, or have taken everything."""
        assert self._changed is not None
        if taken is not self._taken:
            self._taken = taken
            self._changed(taken)

    async def receive(self) -> str:
        raise NotImplementedError

    async def send(self, frames: object) -> None:
        raise NotImplementedError

    async def close(self, code: int, reason: str) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        raise NotImplementedError
