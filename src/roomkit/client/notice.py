"""Telling rooms that our user types: once per period while they do, and that they stopped.

The server forgets a typist 6 s after the last word and drops words within 3 s of each other. A word
every 3 s while keys are pressed, and a stop 3 s after the last key, keep both: two words are never
6 s apart.
"""

from __future__ import annotations

from roomkit.limits import Limits

__all__ = ["TypingNotice"]

_OURS = Limits()


class TypingNotice:
    """Which rooms our user types in.

    Attributes:
        every_ms: at most one word per period; the server's `typing_resend_ms`.
    """

    def __init__(self) -> None:
        self.every_ms = _OURS.typing_resend_ms
        self._said: dict[str, int] = {}
        self._pressed: dict[str, int] = {}

    def pressed(self, room: str, now: int) -> bool:
        """Note a key; True if it is time to say so."""
        self._pressed[room] = now
        said = self._said.get(room)
        if said is not None and now - said < self.every_ms:
            return False
        self._said[room] = now
        return True

    def forget(self, room: str) -> bool:
        """Type there no longer; True if that was said before."""
        self._pressed.pop(room, None)
        return self._said.pop(room, None) is not None

    def forget_all(self) -> None:
        """The connection is gone, and with it what the server knew."""
        self._said.clear()
        self._pressed.clear()

    def idle(self, now: int) -> list[str]:
        """Return the rooms to be told that our user stopped, and forget them."""
        rooms = [room for room, at in self._pressed.items() if at + self.every_ms <= now]
        for room in rooms:
            self.forget(room)
        return rooms

    @property
    def deadline(self) -> int | None:
        """When `idle` has next something to say."""
        return min(self._pressed.values()) + self.every_ms if self._pressed else None
