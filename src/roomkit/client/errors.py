"""What can go wrong for a program that uses the client."""

from __future__ import annotations

from roomkit.client.asks import Rejected
from roomkit.client.view_data import Problem
from roomkit.errors import ErrorCode, Refused, RoomkitError

__all__ = [
    "ChatStopped",
    "Disconnected",
    "MessageNotSent",
    "ReaderTooSlow",
    "error_of",
    "refusal_of",
]

_NOT_SENT = frozenset({"expired", "outbox_full", "withdrawn"})


class _Explained(RoomkitError):
    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.code = problem.code
        self.message = problem.message


class ChatStopped(_Explained):
    """The client is not connected any more and will not come back by itself.

    Attributes:
        code: why: an error code or the name of a close code of the protocol, or "stopped" if the
            application left `connect`.
        message: for people.
    """


class Disconnected(RoomkitError):
    """The connection was lost before the answer came; whether it was done is not known."""


class MessageNotSent(_Explained):
    """A message was given up without the server having refused it.

    Attributes:
        code: expired (it may have been posted all the same), outbox_full or withdrawn.
        message: for people.
    """


class ReaderTooSlow(RoomkitError):
    """A room's events were not read fast enough and their buffer overflowed; iterate again."""


def error_of(rejected: Rejected) -> RoomkitError:
    """Return what to raise for a rejection that is not due to the client having stopped."""
    problem = rejected.problem
    if problem.code == "disconnected":
        return Disconnected(problem.message)
    if problem.code in _NOT_SENT:
        return MessageNotSent(problem)
    return refusal_of(problem, rejected.retry_after_ms)


def refusal_of(problem: Problem, retry_after_ms: int | None = None) -> Refused:
    """Return the server's refusal; a code this version does not know is told as `internal`."""
    try:
        return Refused(ErrorCode(problem.code), problem.message, retry_after_ms)
    except ValueError:
        told = f"{problem.code}: {problem.message}"
        return Refused(ErrorCode.INTERNAL, told, retry_after_ms)
