"""Frames on their way out, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from roomkit.runtime.framing import frame_texts

__all__ = ["Batch", "Grade", "seal"]


class Grade(IntEnum):
    """What a frame is worth. The highest are shed first, the lowest never."""

    DURABLE = 0
    SIGNAL = 1
    OCCUPANCY = 2
    TYPING = 3


class Batch:
    """Frames that travel together, shared by every outbox they wait in. Nobody changes them.

    Args:
        frames: UTF-8 encoded messages.
        size: bytes of all frames.
        grades: one per frame, or None if every frame is durable.
    """

    __slots__ = ("_framed", "frames", "grades", "size")

    def __init__(
        self, frames: Sequence[bytes], size: int, grades: Sequence[Grade] | None = None
    ) -> None:
        self.frames = frames
        self.size = size
        self.grades = grades
        self._framed = b""

    @property
    def framed(self) -> bytes:
        """The frames as websocket messages, joined; made once, for however many are sent them."""
        if not self._framed:
            self._framed = frame_texts(self.frames)
        return self._framed


def seal(frames: Sequence[bytes], grade: Grade) -> Batch:
    """Return a batch of frames of one grade."""
    size = sum(map(len, frames))
    return Batch(frames, size, None if grade is Grade.DURABLE else [grade] * len(frames))
