"""How the command line prints: lines, and moments in UTC."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

__all__ = ["at", "date", "say"]


def say(line: str) -> None:
    """Print a line. What the terminal cannot show, or would obey, is escaped."""
    tame = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )
    encoding = sys.stdout.encoding
    sys.stdout.write(tame.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def at(wall: int) -> str:
    """Return the time of day, to the millisecond, of milliseconds since the Unix epoch."""
    return _moment(wall).strftime("%H:%M:%S.") + f"{wall % 1000:03}"


def date(wall: int) -> str:
    """Return the day of milliseconds since the Unix epoch."""
    return _moment(wall).strftime("%Y-%m-%d")


def _moment(wall: int) -> datetime:
    return datetime.fromtimestamp(wall // 1000, UTC)
