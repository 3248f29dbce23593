"""A trace as read: its segments in the order in which they were written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from roomkit.core.state import State
from roomkit.errors import TraceError
from roomkit.trace.folder import segments
from roomkit.trace.records import (
    MAGIC,
    Step,
    read_frames,
    unpack_header,
    unpack_state,
    unpack_steps,
    whole_frames,
)

__all__ = ["Segment", "read_trace"]


class Segment:
    """One segment.

    Attributes:
        header: what it needs to be replayed.
        torn: bytes at its end that are no whole record: the process ended while writing.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.torn = len(data) - whole_frames(data)
        self._data = data
        self.header = unpack_header(next(read_frames(data)))

    def state(self) -> State:
        """Return the engine's state before the first step.

        Raises:
            TraceError: another version wrote it.
        """
        _, state = islice(read_frames(self._data), 2)
        return unpack_state(state)

    def steps(self) -> Iterator[Step]:
        """Yield every step, decoded when its turn comes.

        Raises:
            TraceError: another version wrote it.
        """
        for batch in islice(read_frames(self._data), 2, None):
            yield from unpack_steps(batch)


def read_trace(path: Path) -> list[Segment]:
    """Return the segments of a trace, oldest first; one whose state was never written is left out.

    Args:
        path: the folder, or one segment out of it.

    Raises:
        TraceError: there is none, or it is not one this version reads.
    """
    found = segments(path) if path.is_dir() else [path]
    read = [Segment(one, data) for one in found if _is_begun(data := _bytes_of(one))]
    if not read:
        raise TraceError(
            f"{str(path)!r} holds no trace: give the folder that `Hub(record=...)` wrote, or one "
            "file out of it"
        )
    return read


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TraceError(
            f"{str(path)!r} cannot be read ({error.strerror}): give the folder that "
            "`Hub(record=...)` wrote, or one file out of it"
        ) from error
    if not MAGIC.startswith(data[: len(MAGIC)]):
        raise TraceError(
            f"{str(path)!r} is no segment of a trace: give the folder that `Hub(record=...)` "
            "wrote, or one file out of it"
        )
    return data


def _is_begun(data: bytes) -> bool:
    """Tell whether header and state are there."""
    return len(list(islice(read_frames(data), 2))) == 2
