"""One connection's way out: its writer, and how it ends.

The writer is a task of its own, begun when first something could not be written at once. A
connection ends once, for the reason that came first. Then nothing more is queued for it, the
engine is told, and within `Limits.close_ms` what was queued goes out, the websocket is closed with
its code, or the transport is aborted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import anyio
from anyio.abc import TaskGroup

from roomkit.errors import CloseCode
from roomkit.ids import ConnectionId
from roomkit.limits import Limits
from roomkit.runtime.complaints import Complaints
from roomkit.runtime.outbox import Outbox
from roomkit.runtime.stats import Counters
from roomkit.runtime.transport import PromptTransport, Transport, TransportClosed

__all__ = ["Connection"]


class Connection:
    """A transport being served, its outbox and its end.

    Args:
        tasks: where its writer runs, if there is one.

    Attributes:
        ending: True once nothing more is read from it or queued for it.
    """

    __slots__ = (
        "_close_seconds",
        "_complaints",
        "_counters",
        "_deadline",
        "_farewell",
        "_reading",
        "_tasks",
        "_writing",
        "_written",
        "ending",
        "id",
        "outbox",
        "transport",
    )

    def __init__(
        self,
        connection: ConnectionId,
        transport: Transport,
        limits: Limits,
        counters: Counters,
        complaints: Complaints,
        tasks: TaskGroup,
    ) -> None:
        self.id = connection
        self.transport = transport
        # Asking `isinstance` of a protocol takes longer than all the rest of this.
        prompt = cast(PromptTransport, transport) if hasattr(transport, "watch") else None
        self.outbox = Outbox(limits, self._overflow, self._begin_writing, prompt)
        self.ending = False
        self._close_seconds = limits.close_ms / 1000
        self._counters = counters
        self._complaints = complaints
        self._farewell: tuple[int, str] | None = None
        self._deadline = float("inf")
        self._tasks = tasks
        self._reading: anyio.CancelScope | None = None
        self._writing: anyio.CancelScope | None = None
        self._written: anyio.Event | None = None

    def end(self, code: int, reason: str) -> None:
        """Close with this code, after what is queued already."""
        if not self.ending:
            self._begin_end(code, reason)
            if self._writing is not None:
                self._writing.deadline = self._deadline
            self.outbox.seal()
            self.outbox.wake()

    def break_off(self, code: int, reason: str) -> None:
        """Close with this code at once; what is queued is dropped."""
        if not self.ending:
            self._begin_end(code, reason)
            self._give_up()

    def lose(self) -> None:
        """Take note that the peer is gone, or is to be treated so: nothing more is written."""
        self.ending = True
        self._farewell = None
        self._give_up()

    async def run(self, read: Callable[[], Awaitable[None]]) -> None:
        """Read and write until the connection ends; what was queued by then is written or given up.

        Args:
            read: handles what the peer sends, and returns when the connection is ending.

        Raises:
            Whatever `read` does, but `TransportClosed`: then the connection is lost.
        """
        try:
            with anyio.CancelScope() as self._reading:
                await read()
            self._reading = None
            if self._written is not None:
                await self._written.wait()
        except TransportClosed:
            self._reading = None
            self.lose()
        finally:
            self._reading = None
            if self._writing is not None:
                self._writing.cancel()

    async def say_farewell(self) -> None:
        """Close the websocket as decided; abort if that takes too long."""
        if self._farewell is None:
            self.transport.abort()
            return
        closed = False
        with anyio.CancelScope(deadline=self._deadline):
            try:
                await self.transport.close(*self._farewell)
                closed = True
            except TransportClosed:
                closed = True
            except Exception as error:  # noqa: BLE001 - an adapter's trouble ends this connection only
                self._complaints.warn("close", "a transport's close() failed", error)
        if not closed:
            self.transport.abort()

    def release(self) -> None:
        """Hold no byte any more."""
        outbox, counters = self.outbox, self._counters
        outbox.release()
        counters.delivered += outbox.delivered
        counters.shed += outbox.shed
        outbox.delivered = outbox.shed = 0

    def _begin_writing(self) -> None:
        self._written = anyio.Event()
        self._tasks.start_soon(self._write, self._written, name=f"roomkit writer {self.id}")

    async def _write(self, written: anyio.Event) -> None:
        """Write until the connection is ending and all is written; then nothing more is read."""
        outbox, transport = self.outbox, self.transport
        try:
            with anyio.CancelScope(deadline=self._deadline) as self._writing:
                while True:
                    frames = outbox.take()
                    if frames:
                        await transport.send(frames)
                        outbox.sent()
                    elif self.ending:
                        break
                    else:
                        await outbox.wait()
        except TransportClosed:
            self.lose()
        except Exception as error:  # noqa: BLE001 - an adapter's trouble ends this connection only
            self._complaints.warn("send", "a transport's send() failed", error)
            self.lose()
        finally:
            self._writing = None
            written.set()
            self._stop_reading()

    def _overflow(self) -> None:
        self.break_off(CloseCode.SLOW_CONSUMER, "too slow a reader: come back and resume")

    def _begin_end(self, code: int, reason: str) -> None:
        self.ending = True
        self._farewell = (code, reason)
        self._deadline = anyio.current_time() + self._close_seconds
        self._counters.closes[code] += 1

    def _give_up(self) -> None:
        self.outbox.drop()
        if self._writing is not None:
            self._writing.cancel()
        self._stop_reading()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
