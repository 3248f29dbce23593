"""Opening the file: the one connection that writes and checkpoints, and those that only read.

`connect` is the only place where SQLite is asked for a connection: whoever tests with a file layer
of their own replaces it.
"""

from __future__ import annotations

import os
import sqlite3
from typing import Literal

from roomkit.errors import StoreError
from roomkit.stores.sqlite.schema import migrate
from roomkit.stores.sqlite.troubles import DAMAGED, explain

__all__ = ["BUSY_S", "Durability", "check", "connect", "open_reader", "open_writer"]

Durability = Literal["sqlite-full", "sqlite-normal"]

BUSY_S = 2.0
"""How long to wait for another program that has locked the file (a shell, a backup)."""

_SYNCHRONOUS = {"sqlite-full": "FULL", "sqlite-normal": "NORMAL"}
_WAL_BYTES = 64 * 1024 * 1024
_STATEMENTS = 256  # kept ready: an insert has one for each number of rows, up to 64


def connect(path: str) -> sqlite3.Connection:
    """Return a connection without pragmas, in autocommit; any thread may use it, one at a time."""
    return sqlite3.connect(
        path,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )


def check(path: str, *, left_open: bool) -> None:
    """See that the file can be written, make it if need be, and look it over after a crash.

    Looking it over reads all of it: about a second for a gigabyte.

    Args:
        left_open: the last server did not close it. A log left beside it (`-wal`) means the same.

    Raises:
        StoreError: what is wrong, and what to do.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}): it must be a file in an existing "
            "directory, and this user must be allowed to write to both"
        ) from None
    if not left_open and not os.path.exists(path + "-wal"):
        return
    connection = connect(path)
    try:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    finally:
        connection.close()
    if found != ["ok"]:
        raise StoreError(f"{path}: {DAMAGED} (quick_check: {'; '.join(found)})")


def open_writer(path: str, durability: Durability) -> sqlite3.Connection:
    """Return the connection that writes; its tables are there.

    Raises:
        StoreError: the file is not one this version can write to; says what to do.
        sqlite3.Error: see `troubles`.
    """
    connection = connect(path)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(
                f"{path} cannot use a write-ahead log (it stays {mode!r}): put it on a local disk"
            )
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # the writer does it, and sees errors
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
        connection.execute("PRAGMA temp_store = MEMORY")
        migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: str) -> sqlite3.Connection:
    """Return a connection that can neither write nor checkpoint.

    Raises:
        StoreError: what is wrong, and what to do.
    """
    try:
        connection = connect(path)
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise StoreError(explain(path, error)) from error
    return connection
