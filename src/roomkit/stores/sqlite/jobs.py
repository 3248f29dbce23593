"""A call on its way to a thread and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar, cast

import anyio
from anyio.lowlevel import current_token

__all__ = ["AnyJob", "Job", "Jobs", "Loop"]

_W_contra = TypeVar("_W_contra", contravariant=True)
_T = TypeVar("_T")


class AnyJob(Protocol[_W_contra]):
    """A job as the thread sees it: with something to do it with, whatever it returns."""

    wanted: bool

    def run(self, means: _W_contra, /) -> None: ...
    def fail(self, error: Exception, /) -> None: ...
    def end(self) -> None: ...


class Job(Generic[_W_contra, _T]):
    """Work for a thread, and what came of it.

    Attributes:
        wanted: False once nobody waits for it any more: it need not be done.
    """

    def __init__(self, work: Callable[[_W_contra], _T]) -> None:
        self.wanted = True
        self._work = work
        self._result: list[_T] = []
        self._error: Exception | None = None
        self._done = anyio.Event()

    def run(self, means: _W_contra, /) -> None:
        """In the thread: do it, perhaps once more after it was undone."""
        self._result = [self._work(means)]

    def fail(self, error: Exception, /) -> None:
        """In the thread: it could not be done, or was undone."""
        self._error = error

    def end(self) -> None:
        """In the event loop: wake whoever waits."""
        self._done.set()

    async def outcome(self) -> _T:
        """Wait for it. When cancelled, it may have been done or not."""
        try:
            await self._done.wait()
        finally:
            self.wanted = False
        if self._error is not None:
            raise self._error
        return self._result[0]


Jobs = SimpleQueue[AnyJob[_W_contra] | None]
"""What waits for a thread; None asks it to end."""


class _TrioToken(Protocol):
    """What there is of trio's token here, where trio need not be installed."""

    def run_sync_soon(self, function: Callable[[], object], /) -> None: ...


class Loop:
    """The event loop that was running when this was made, as threads reach it."""

    def __init__(self) -> None:
        native = current_token().native_token
        self._call_soon: Callable[[Callable[[], object]], object] = (
            native.call_soon_threadsafe
            if isinstance(native, asyncio.AbstractEventLoop)
            else cast(_TrioToken, native).run_sync_soon
        )

    def end(self, jobs: Sequence[AnyJob[_W_contra]]) -> None:
        """In a thread: end these jobs, all with one wake-up of the loop."""

        def end_all() -> None:
            for job in jobs:
                job.end()

        self.call(end_all)

    def call(self, function: Callable[[], object]) -> None:
        """In a thread: call this in the loop; nothing happens if the loop is gone."""
        try:
            self._call_soon(function)
        except RuntimeError:
            pass  # the loop ended, and with it whoever waited
