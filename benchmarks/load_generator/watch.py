"""Connections that are listened to: which message each copy is, and what it took; or how many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from benchmarks.load_generator.dialect import DIGITS, MARK

__all__ = ["Count", "Ledger", "Listener", "Watch"]

_WHOLE = len(MARK) + DIGITS


class Listener(Protocol):
    """Told what one connection reads, and when."""

    def read(self, data: bytes, now: float) -> None: ...


class Ledger:
    """Every message that was sent, by its number.

    Attributes:
        sent_at: when, on the clock of `time.perf_counter`; for an open loop when it was due.
        authors: the connection that sent it.
        latencies: seconds from there to each copy that was watched.
    """

    def __init__(self) -> None:
        self.sent_at: list[float] = []
        self.authors: list[int] = []
        self.latencies: list[float] = []

    def note(self, author: int, at: float) -> int:
        """Note a message, and return its number."""
        self.sent_at.append(at)
        self.authors.append(author)
        return len(self.sent_at) - 1


class Watch:
    """Reads the numbers in what one connection is sent.

    Args:
        own: called for each copy of a message of this connection's own.
    """

    def __init__(self, connection: int, ledger: Ledger, own: Callable[[int], None]) -> None:
        self._connection = connection
        self._ledger = ledger
        self._own = own
        self._kept = b""

    def read(self, data: bytes, now: float) -> None:
        """Take what was read; a number cut in two waits for the rest."""
        ledger = self._ledger
        text = self._kept + data
        at = text.find(MARK)
        while 0 <= at <= len(text) - _WHOLE:
            number = int(text[at + len(MARK) : at + _WHOLE])
            ledger.latencies.append(now - ledger.sent_at[number])
            if ledger.authors[number] == self._connection:
                self._own(self._connection)
            at = text.find(MARK, at + _WHOLE)
        self._kept = text[at:] if at >= 0 else text[-1:]


class Count:
    """Counts messages on one connection.

    Args:
        enough: how many make a whole.
        whole: called for each whole.
    """

    def __init__(self, connection: int, enough: int, whole: Callable[[int], None]) -> None:
        self._connection = connection
        self._enough = enough
        self._whole = whole
        self._messages = 0
        self._last = b""

    def read(self, data: bytes, now: float) -> None:
        """Take what was read."""
        self._messages += (self._last + data).count(MARK)
        self._last = b"" if data.endswith(MARK) else data[-1:]
        while self._messages >= self._enough:
            self._messages -= self._enough
            self._whole(self._connection)
