"""Requests of the host that wait for the engine's answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import anyio
import msgspec

from roomkit.core.events import Event, Failure
from roomkit.core.inputs import Asked, HostCommand
from roomkit.errors import ErrorCode, HubNotRunning, Refused
from roomkit.ids import MessageId, RequestId, RoomId

__all__ = ["PostResult", "Requests", "RevisionResult"]


class PostResult(msgspec.Struct, frozen=True):
    """The entry a message became.

    Attributes:
        at: milliseconds since the Unix epoch, by the store.
        duplicate: True if an earlier post with the same idempotency key made it.
    """

    room: RoomId
    id: MessageId
    seq: int
    link: str
    at: int
    duplicate: bool


class RevisionResult(msgspec.Struct, frozen=True):
    """A message as an edit or a delete left it.

    Attributes:
        id: of the message.
        seq: of the edit or deletion in the log; likewise `link` and `at`.
        at: milliseconds since the Unix epoch, by the store.
    """

    room: RoomId
    id: MessageId
    version: int
    seq: int
    link: str
    at: int


class _Waiting:
    __slots__ = ("answer", "settled")

    def __init__(self) -> None:
        self.answer: Event | None = None
        self.settled = anyio.Event()


class Requests:
    """Each is answered once; one whose caller was cancelled is done all the same."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[RequestId, _Waiting] = {}

    async def ask(self, step: Callable[[Asked], None], command: HostCommand) -> Event:
        """Hand a command to the engine and wait for its answer.

        Raises:
            Refused: the engine refused it; or bad_argument, it holds what nobody could be sent.
            HubNotRunning: the hub was left before there was an answer.
        """
        command = _of_its_own(command)
        request = RequestId(next(self._numbers))
        waiting = self._waiting[request] = _Waiting()
        try:
            step(Asked(request, command))
            await waiting.settled.wait()
        finally:
            del self._waiting[request]
        answer = waiting.answer
        if answer is None:
            raise HubNotRunning(
                "the hub was left before this was answered; it may have been done: if it matters, "
                "ask again with the same idempotency_key while a hub runs"
            )
        if isinstance(answer, Failure):
            raise Refused(answer.code, answer.message, answer.retry_after_ms)
        return answer

    def answer(self, request: RequestId, event: Event) -> None:
        """Settle a request, if somebody still waits for it."""
        waiting = self._waiting.get(request)
        if waiting is not None:
            waiting.answer = event
            waiting.settled.set()

    def abandon(self) -> None:
        """Let everybody who still waits know that no answer will come."""
        for waiting in self._waiting.values():
            waiting.settled.set()


def _of_its_own(command: HostCommand) -> HostCommand:
    """Return a copy that the host cannot change any more, and that can be stored."""
    try:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(command), type=type(command))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Refused(
            ErrorCode.BAD_ARGUMENT,
            f"this cannot be sent as JSON ({error}): give well-formed text, and for meta a dict of "
            "strings, numbers, lists and dicts",
        ) from error
