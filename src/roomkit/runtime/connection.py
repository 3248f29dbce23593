"""One connection's way out: its writer, and how it ends.

A connection ends once, for the reason that came first. Then nothing more is queued for it, the
engine is told, and within `Limits.close_ms` what was queued goes out, the websocket is closed with
its code, or the transport is aborted.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import anyio

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

    Attributes:
        ending: True once nothing more is read from it or queued for it.
    """

    def __init__(
        self,
        connection: ConnectionId,
        transport: Transport,
        limits: Limits,
        counters: Counters,
        complaints: Complaints,
    ) -> None:
        self.id = connection
        self.transport = transport
        send_now = transport.send_now if isinstance(transport, PromptTransport) else None
        self.outbox = Outbox(limits, self._overflow, send_now)
        self.ending = False
        self._close_seconds = limits.close_ms / 1000
        self._counters = counters
        self._complaints = complaints
        self._farewell: tuple[int, str] | None = None
        self._deadline = float("inf")
        self._writing = anyio.CancelScope()

    def end(self, code: int, reason: str) -> None:
        """Close with this code, after what is queued already."""
        if not self.ending:
            self._begin_end(code, reason)
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

    async def run(self, read: Callable[[], Coroutine[object, object, None]]) -> None:
        """Read and write until the connection ends; what was queued by then is written or given up.

        Args:
            read: handles what the peer sends, and returns when the connection is ending.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, name=f"roomkit reader {self.id}")
            await self._write()
            tasks.cancel_scope.cancel()

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

    async def _write(self) -> None:
        outbox, transport = self.outbox, self.transport
        with self._writing:
            try:
                while True:
                    frames = outbox.take()
                    if frames:
                        await transport.send(frames)
                        outbox.sent()
                    elif self.ending:
                        return
                    else:
                        await outbox.wait()
            except TransportClosed:
                self.lose()
            except Exception as error:  # noqa: BLE001 - an adapter's trouble ends this connection only
                self._complaints.warn("send", "a transport's send() failed", error)
                self.lose()

    def _overflow(self) -> None:
        self.break_off(CloseCode.SLOW_CONSUMER, "too slow a reader: come back and resume")

    def _begin_end(self, code: int, reason: str) -> None:
        self.ending = True
        self._farewell = (code, reason)
        self._deadline = anyio.current_time() + self._close_seconds
        self._counters.closes[code] += 1

    def _give_up(self) -> None:
        self.outbox.drop()
        self._writing.cancel()
