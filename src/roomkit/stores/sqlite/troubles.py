"""What SQLite complains of, in words that say what the operator can do."""

from __future__ import annotations

import sqlite3

from roomkit.errors import StoreError

__all__ = ["DAMAGED", "NotWritten", "explain", "is_of_the_file"]

DAMAGED = (
    "it is damaged: stop the server, keep a copy of the file and of its -wal, and put the last "
    "backup in its place"
)

_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space, the store goes on by itself",
    sqlite3.SQLITE_READONLY: (
        "it cannot be written: make the file, what lies beside it under the same name and their "
        "directory writable for this user"
    ),
    sqlite3.SQLITE_PERM: "access is refused: make the file and its directory writable",
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened: the directory must exist, and this user must be allowed to write to "
        "it and to the file"
    ),
    sqlite3.SQLITE_BUSY: (
        "another program has locked it: end that program's transaction, or close the program"
    ),
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: "it is no SQLite file: give another path, or put a backup in its place",
    sqlite3.SQLITE_IOERR: (
        "the disk failed to read or write: look for its errors in the system's log; the store "
        "opens the file anew and tries again"
    ),
}

_OF_A_CALL = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_TOOBIG,
    }
)


class NotWritten(StoreError):
    """A transaction failed.

    Attributes:
        certain: True if nothing of it can have been kept; False if nobody can say.
    """

    def __init__(self, text: str, *, certain: bool) -> None:
        super().__init__(text)
        self.certain = certain


def is_of_the_file(error: Exception) -> bool:
    """Tell trouble with the file or the disk from a value that SQLite cannot take."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF not in _OF_A_CALL


def explain(path: str, error: sqlite3.Error) -> str:
    """Return a line that names the file, what is wrong with it, and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    advice = _ADVICE.get(code & 0xFF) if code is not None else None
    return f"{path}: {advice or str(error)} ({name})"
