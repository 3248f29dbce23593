"""What the hub tells the operator's log: each kind of trouble at most once a minute.

An exception is described by its type and where it was raised, never by its text, which may quote a
message, a name or a secret. `RoomkitError`s are the exception: their texts are written for
operators.
"""

from __future__ import annotations

import logging
import traceback

import anyio

from roomkit.errors import RoomkitError

__all__ = ["Complaints"]

_LOG = logging.getLogger("roomkit")
_QUIET_SECONDS = 60.0


class Complaints:
    """Writes to the logger `roomkit`; repeats within a minute are counted for the next line."""

    def __init__(self) -> None:
        self._quiet_until: dict[str, float] = {}
        self._repeats: dict[str, int] = {}

    def warn(self, kind: str, text: str, error: BaseException | None = None) -> None:
        """Something outside went wrong and the hub goes on: a store, a hook, a socket."""
        self._tell(logging.WARNING, kind, text, error)

    def bug(self, kind: str, text: str, error: BaseException) -> None:
        """Something that must not happen did; what it concerned has been given up."""
        self._tell(logging.ERROR, kind, text, error)

    def _tell(self, level: int, kind: str, text: str, error: BaseException | None) -> None:
        now = anyio.current_time()
        if now < self._quiet_until.get(kind, now):
            self._repeats[kind] += 1
            return
        self._quiet_until[kind] = now + _QUIET_SECONDS
        repeats = self._repeats.get(kind, 0)
        self._repeats[kind] = 0
        since = f" ({repeats} more like it since the last such line)" if repeats else ""
        _LOG.log(level, "%s%s%s", text, since, "" if error is None else _describe(error))


def _describe(error: BaseException) -> str:
    name = type(error).__qualname__
    text = f": {error}" if isinstance(error, RoomkitError) else ""
    where = "".join(traceback.format_tb(error.__traceback__))
    return f"\n{where}{name}{text}"
