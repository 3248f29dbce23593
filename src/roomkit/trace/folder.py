"""Where a trace is written: a folder of numbered segments, each of which replays on its own.

The oldest are deleted so that all together stay below a size. Files are readable by their owner
only. What was written survives the process (also `kill -9`); nothing is forced to the disk, so a
loss of power can take the last seconds.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from roomkit.errors import TraceError
from roomkit.trace.records import MAGIC, Header, frame, frame_steps

__all__ = ["RECORD_MIB", "TraceFolder", "segments"]

RECORD_MIB = 64
"""The most a trace takes, unless the host says otherwise."""

_QUARTERS = 4  # a segment is full when its steps take a quarter of the whole trace

_SUFFIX = ".segment"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class TraceFolder:
    """Writes a trace, one segment after another.

    Args:
        path: the folder; made if it is not there.
        most_bytes: what all segments together may take.

    Raises:
        TraceError: nothing can be written there.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._file: int | None = None
        self._steps_bytes = 0
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept = segments(path)
            self._sizes = {segment: segment.stat().st_size for segment in kept}
            self._number = max((int(segment.stem) for segment in kept), default=0)
            probe = path / f"{self._number + 1:08}{_SUFFIX}"
            os.close(os.open(probe, _NEW, 0o600))
            probe.unlink()
        except OSError as error:
            raise TraceError(
                f"no trace can be written to {str(path)!r} ({error.strerror}): give `record` a "
                "folder that this process may write to, or leave it out"
            ) from error

    @property
    def full(self) -> bool:
        """The segment has enough steps: begin another."""
        return self._steps_bytes >= self._most_bytes // _QUARTERS

    def begin(self, header: Header, state: object) -> None:
        """Begin a segment.

        Args:
            state: the engine's before step `header.first`, packed.

        Raises:
            TraceError: the state alone takes more than a quarter of what there is.
            OSError: it cannot be written.
        """
        self.close()
        opening = MAGIC + frame(header) + frame(state)
        quarter = self._most_bytes // _QUARTERS
        if len(opening) > quarter:
            mib = len(opening) * _QUARTERS // 1024**2 + 1
            raise TraceError(
                f"the state of the rooms takes {len(opening)} bytes, more than a quarter of the "
                f"trace: set record_mib to {mib} or more"
            )
        self._number += 1
        self._segment = self._path / f"{self._number:08}{_SUFFIX}"
        self._file = os.open(self._segment, _NEW, 0o600)
        self._sizes[self._segment] = 0
        self._write(opening)
        self._steps_bytes = 0

    def add(self, steps: Sequence[bytes]) -> None:
        """Write a batch of packed steps to the segment begun last.

        Raises:
            OSError: it cannot be written.
        """
        written = frame_steps(steps)
        self._write(written)
        self._steps_bytes += len(written)

    def close(self) -> None:
        """Write no more to the segment. Harmless if none was begun."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, data: bytes) -> None:
        assert self._file is not None, "a segment is begun before steps are added"
        self._make_room(len(data))
        left = memoryview(data)
        while left:
            done = os.write(self._file, left)
            self._sizes[self._segment] += done
            left = left[done:]

    def _make_room(self, wanted: int) -> None:
        oldest = [segment for segment in self._sizes if segment != self._segment]
        while oldest and sum(self._sizes.values()) + wanted > self._most_bytes:
            gone = oldest.pop(0)
            gone.unlink(missing_ok=True)
            del self._sizes[gone]


def segments(path: Path) -> list[Path]:
    """Return the segments in a folder, oldest first."""
    return sorted(path.glob(f"*{_SUFFIX}"))
