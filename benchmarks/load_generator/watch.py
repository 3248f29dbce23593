"""One connection whose copies are told apart: which message each was, and what it took."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.load_generator.dialect import DIGITS, MARK

__all__ = ["Ledger", "Watch"]

_WHOLE = len(MARK) + DIGITS


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
