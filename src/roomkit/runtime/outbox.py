"""What waits to be written to one connection: bounded in bytes, shedding what may be lost.

Above the soft limit ephemeral frames are shed, typing first, then occupancy, then signals. What is
durable is never dropped but by giving the whole connection up: above the hard limit everything
waiting goes and the owner is told to close. Bytes handed to the transport count until its `send`
returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio

from roomkit.limits import Limits
from roomkit.runtime.batches import Batch, Grade
from roomkit.runtime.transport import PromptTransport

__all__ = ["PROMPT_BYTES", "Outbox"]

PROMPT_BYTES = 64 * 1024
"""More than this is left to the writer, so that no transport is made to buffer it unseen."""


def _nobody(clear: bool) -> None:
    """Where nobody asked to be told."""


class Outbox:
    """Batches in order, for one writer, or past it while the transport keeps up.

    Args:
        overflow: called once, when the hard limit was passed and everything queued has been
            dropped.
        begin: begins the writer when it is needed; called once if it then waits with `wait`.
        prompt: the transport, if it can be written to without waiting.

    Attributes:
        clear: nothing waits, here or in the transport: the next batch may be written at once.
        told: called with `clear` whenever that changes.
        write: hands framed messages to the transport; for whoever finds it clear.
        waiting: bytes queued or in flight; never above the hard limit between calls.
        delivered: frames the transport took from here.
        shed: frames dropped because they may be.
    """

    __slots__ = (
        "_begin",
        "_ephemeral",
        "_flying_bytes",
        "_flying_frames",
        "_hard",
        "_overflow",
        "_queue",
        "_sealed",
        "_soft",
        "_taken",
        "_waiter",
        "_writing",
        "clear",
        "delivered",
        "shed",
        "told",
        "waiting",
        "write",
    )

    def __init__(
        self,
        limits: Limits,
        overflow: Callable[[], None],
        begin: Callable[[], object],
        prompt: PromptTransport | None = None,
    ) -> None:
        self._soft = limits.outbox_soft_bytes
        self._hard = limits.outbox_hard_bytes
        self._overflow = overflow
        self._begin = begin
        self._queue: list[Batch] = []
        self._flying_bytes = 0
        self._flying_frames = 0
        self._ephemeral = False
        self._sealed = False
        self._writing = False
        self._waiter: anyio.Event | None = None
        self._taken = prompt is not None and prompt.watch(self._transport_changed)
        self.write: Callable[[bytes], object] | None = None if prompt is None else prompt.write
        self.clear = self._taken
        self.told: Callable[[bool], None] = _nobody
        self.waiting = 0
        self.delivered = 0
        self.shed = 0

    def push(self, batch: Batch) -> None:
        """Queue a batch behind the others; nothing is written yet. Ignored once sealed."""
        if self._sealed:
            return
        self._queue.append(batch)
        if self.clear:
            self._look()
        self.waiting += batch.size
        if batch.grades is not None:
            self._ephemeral = True
        if self.waiting > self._soft:
            self._relieve()

    def flush(self) -> None:
        """Have what is queued written: by the transport at once if it can, else by the writer."""
        if self._writing or not self._queue:
            return
        if self._written_at_once():
            self._look()
        else:
            self.wake()

    def wake(self) -> None:
        """Let the writer look."""
        if self._writing:
            return
        self._writing = True
        self._look()
        if self._waiter is None:
            self._begin()
        else:
            self._waiter.set()

    async def wait(self) -> None:
        """Wait for the next `wake`; at once over if something is queued. Only the writer calls."""
        if not self._queue:
            self._waiter = anyio.Event()
            self.rest()
            await self._waiter.wait()

    def rest(self) -> None:
        """The writer is done for now: `wake` wakes it, or begins it again if it does not `wait`."""
        self._writing = False
        self._look()

    def take(self) -> Sequence[bytes]:
        """Return every frame queued, in order; they stay in `waiting` until `sent`."""
        if not self._queue:
            return ()
        frames = self._frames()
        self._queue = []
        self._ephemeral = False
        self._flying_bytes, self._flying_frames = self.waiting, len(frames)
        return frames

    def sent(self) -> None:
        """Note that what was taken has been written."""
        self.delivered += self._flying_frames
        self._land()

    def seal(self) -> None:
        """Take no more."""
        self._sealed = True
        self._look()

    def drop(self) -> None:
        """Drop what is queued and take no more; what is in flight stays until it is released."""
        self._sealed = True
        self._queue = []
        self.waiting = self._flying_bytes
        self._look()

    def release(self) -> None:
        """Drop everything: nothing is in flight any more either."""
        self.drop()
        self._land()

    def _land(self) -> None:
        self.waiting -= self._flying_bytes
        self._flying_bytes = self._flying_frames = 0

    def _written_at_once(self) -> bool:
        """Write what is queued without the writer; False if that is its business."""
        if not self._taken or self.write is None or self.waiting > PROMPT_BYTES:
            return False
        queue = self._queue
        try:
            self.write(b"".join([batch.framed for batch in queue]))
        except Exception:  # noqa: BLE001 - the writer will meet the same, and deal with it
            return False
        self._queue = []
        self._ephemeral = False
        self.waiting = 0
        self.delivered += sum([len(batch.frames) for batch in queue])
        return True

    def _transport_changed(self, taken: bool) -> None:
        self._taken = taken
        self._look()

    def _look(self) -> None:
        """Find out whether it is clear, and tell if that is news."""
        clear = self._taken and not (self._queue or self._writing or self._sealed)
        if clear is not self.clear:
            self.clear = clear
            self.told(clear)

    def _frames(self) -> Sequence[bytes]:
        queue = self._queue
        if len(queue) == 1:
            return queue[0].frames
        return [frame for batch in queue for frame in batch.frames]

    def _relieve(self) -> None:
        if self._ephemeral:
            for grade in (Grade.TYPING, Grade.OCCUPANCY, Grade.SIGNAL):
                self._queue = [self._without(grade, batch) for batch in self._queue]
                if self.waiting <= self._soft:
                    return
            self._ephemeral = False
        if self.waiting > self._hard:
            self.drop()
            self._overflow()

    def _without(self, grade: Grade, batch: Batch) -> Batch:
        if batch.grades is None or grade not in batch.grades:
            return batch
        kept = [pair for pair in zip(batch.frames, batch.grades, strict=True) if pair[1] != grade]
        frames = [frame for frame, _ in kept]
        size = sum(map(len, frames))
        self.waiting -= batch.size - size
        self.shed += len(batch.frames) - len(frames)
        return Batch(frames, size, [grade for _, grade in kept])
