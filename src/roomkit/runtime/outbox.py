"""What waits to be written to one connection: bounded in bytes, shedding what may be lost.

Above the soft limit ephemeral frames are shed, typing first, then occupancy, then signals. What is
durable is never dropped but by giving the whole connection up: above the hard limit everything
waiting goes and the owner is told to close. Bytes handed to the transport count until its `send`
returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

import anyio
import msgspec

from roomkit.limits import Limits

__all__ = ["PROMPT_BYTES", "Batch", "Grade", "Outbox", "SendNow", "seal"]

SendNow = Callable[[Sequence[bytes]], bool]
"""Hands frames to a transport at once; False if it did not take them (`PromptTransport`)."""

PROMPT_BYTES = 64 * 1024
"""More than this is left to the writer, so that no transport is made to buffer it unseen."""


class Grade(IntEnum):
    """What a frame is worth. The highest are shed first, the lowest never."""

    DURABLE = 0
    SIGNAL = 1
    OCCUPANCY = 2
    TYPING = 3


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Frames that travel together, shared by every outbox they wait in. Nobody changes the
    sequences.

    Attributes:
        size: bytes of all frames.
        grades: one per frame, or None if every frame is durable.
    """

    frames: Sequence[bytes]
    size: int
    grades: Sequence[Grade] | None = None


def seal(frames: Sequence[bytes], grade: Grade) -> Batch:
    """Return a batch of frames of one grade."""
    size = sum(map(len, frames))
    return Batch(frames, size, None if grade is Grade.DURABLE else [grade] * len(frames))


class Outbox:
    """Batches in order, for one writer.

    Args:
        overflow: called once, when the hard limit was passed and everything queued has been
            dropped.
        write: begins the writer; called once, when it is first needed.
        send_now: spares the writer while the transport keeps up; None if it cannot do that.

    Attributes:
        waiting: bytes queued or in flight; never above the hard limit between calls.
        delivered: frames the transport took.
        shed: frames dropped because they may be.
    """

    __slots__ = (
        "_ephemeral",
        "_flying_bytes",
        "_flying_frames",
        "_hard",
        "_overflow",
        "_queue",
        "_sealed",
        "_send_now",
        "_soft",
        "_waiter",
        "_write",
        "_writing",
        "delivered",
        "shed",
        "waiting",
    )

    def __init__(
        self,
        limits: Limits,
        overflow: Callable[[], None],
        write: Callable[[], object],
        send_now: SendNow | None = None,
    ) -> None:
        self._soft = limits.outbox_soft_bytes
        self._hard = limits.outbox_hard_bytes
        self._overflow = overflow
        self._write = write
        self._send_now = send_now
        self._queue: list[Batch] = []
        self._flying_bytes = 0
        self._flying_frames = 0
        self._ephemeral = False
        self._sealed = False
        self._writing = False
        self._waiter: anyio.Event | None = None
        self.waiting = 0
        self.delivered = 0
        self.shed = 0

    def push(self, batch: Batch) -> None:
        """Queue a batch behind the others; the writer is not woken. Ignored once sealed."""
        if self._sealed:
            return
        self._queue.append(batch)
        self.waiting += batch.size
        if batch.grades is not None:
            self._ephemeral = True
        if self.waiting > self._soft:
            self._relieve()

    def pass_on(self, batch: Batch) -> None:
        """Push a batch and flush, in one step where nothing else waits."""
        if not (self._queue or self._writing or self._sealed) and self._sent_now(
            batch.frames, batch.size
        ):
            self.delivered += len(batch.frames)
        else:
            self.push(batch)
            self.flush()

    def flush(self) -> None:
        """Have what is queued written: by the transport at once if it can, else by the writer."""
        if self._writing or not self._queue:
            return
        frames = self._frames()
        if self._sent_now(frames, self.waiting):
            self._queue = []
            self._ephemeral = False
            self.waiting = 0
            self.delivered += len(frames)
        else:
            self.wake()

    def wake(self) -> None:
        """Let the writer look."""
        if self._writing:
            return
        self._writing = True
        if self._waiter is None:
            self._write()
        else:
            self._waiter.set()

    async def wait(self) -> None:
        """Wait for the next `wake`; at once over if something is queued. Only the writer calls."""
        if not self._queue:
            self._writing = False
            self._waiter = anyio.Event()
            await self._waiter.wait()

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

    def drop(self) -> None:
        """Drop what is queued and take no more; what is in flight stays until it is released."""
        self._sealed = True
        self._queue = []
        self.waiting = self._flying_bytes

    def release(self) -> None:
        """Drop everything: nothing is in flight any more either."""
        self.drop()
        self._land()

    def _land(self) -> None:
        self.waiting -= self._flying_bytes
        self._flying_bytes = self._flying_frames = 0

    def _sent_now(self, frames: Sequence[bytes], size: int) -> bool:
        """Hand frames to the transport at once; False if it did not take them."""
        if self._send_now is None or size > PROMPT_BYTES:
            return False
        try:
            return self._send_now(frames)
        except Exception:  # noqa: BLE001 - the writer will meet the same, and deal with it
            return False

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
