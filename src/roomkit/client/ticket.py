"""Waiting for the machine's answer to something asked."""

from __future__ import annotations

import anyio

from roomkit.client.asks import Answered, Rejected
from roomkit.client.errors import error_of
from roomkit.client.view_data import Record

__all__ = ["Ticket"]


class Ticket:
    """An answer that is awaited.

    Attributes:
        answered: set once it is there.
    """

    def __init__(self) -> None:
        self.answered = anyio.Event()
        self._result: Record | Exception = {}

    def answer(self, output: Answered | Rejected, stopped: Exception | None) -> None:
        """Take the machine's answer, or what is raised instead of a rejection once stopped."""
        if isinstance(output, Answered):
            self._result = output.data
        else:
            self._result = stopped or error_of(output)
        self.answered.set()

    def result(self) -> Record:
        """Return what was answered, or raise why it was not done."""
        if isinstance(self._result, Exception):
            raise self._result
        return self._result
