"""The tables, and how a file of an older version is brought forward.

A file says its version in `PRAGMA user_version`, and that it is ours in `application_id`. Step n
brings version n to n + 1; a step once released is never changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from secrets import token_bytes

from roomkit.errors import StoreError

__all__ = ["STEPS", "Step", "migrate"]

Step = Sequence[str]

_APPLICATION_ID = 0x726D6B74  # "rmkt"

STEPS: Sequence[Step] = (
    (
        "CREATE TABLE secret (value BLOB NOT NULL)",
        # A room that was let go has no name; what is left of it goes bit by bit.
        """CREATE TABLE room (
            id INTEGER PRIMARY KEY, name TEXT UNIQUE, fence TEXT NOT NULL DEFAULT '',
            snapshot_seq INTEGER NOT NULL DEFAULT 0, snapshot_link TEXT, snapshot_format INTEGER,
            snapshot BLOB, removed INTEGER NOT NULL DEFAULT 0)""",
        """CREATE TABLE entry (
            room INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, prev TEXT NOT NULL,
            link TEXT NOT NULL, fact BLOB NOT NULL, control INTEGER NOT NULL,
            PRIMARY KEY (room, seq)) WITHOUT ROWID""",
        # The last append of a node: its answer is entries first to last, or kept as a whole.
        """CREATE TABLE nonce (
            room INTEGER NOT NULL, node TEXT NOT NULL, counter INTEGER NOT NULL,
            at INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, answer BLOB,
            PRIMARY KEY (room, node)) WITHOUT ROWID""",
        """CREATE TABLE key (
            room INTEGER NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, link TEXT NOT NULL,
            at INTEGER NOT NULL, PRIMARY KEY (room, key)) WITHOUT ROWID""",
        """CREATE TABLE message (
            room INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (room, seq)) WITHOUT ROWID""",
        "CREATE TABLE lease (node TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
    ),
)


def migrate(connection: sqlite3.Connection, path: str, steps: Sequence[Step] = STEPS) -> None:
    """Make the tables in an empty file, or bring an older file to this version.

    All or nothing: a step that fails leaves the file as it was.

    Raises:
        StoreError: the file was written by a newer roomkit, or is not roomkit's.
    """
    version = _number(connection, "user_version")
    if version > len(steps):
        raise StoreError(
            f"{path} has schema version {version}, and this roomkit knows {len(steps)}: install "
            "the newer roomkit that wrote it, or go back to the backup made before that"
        )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and _number(connection, "application_id") != _APPLICATION_ID:
        raise StoreError(f"{path} is another program's database: give the store a path of its own")
    if version == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        if version == 0:
            connection.execute("INSERT INTO secret VALUES (?)", (token_bytes(32),))
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    value: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return value
