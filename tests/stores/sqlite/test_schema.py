"""A file of an older version is brought forward; one of a newer version is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from roomkit.core.storage import After, Behind, Known, RoomRecord
from roomkit.stores import SqliteStore
from roomkit.stores.sqlite import schema
from roomkit.testing.store_laws.writing import (
    LOBBY,
    Writer,
    items_of,
    keyed,
    log_of,
    rows,
    snapshot_at,
    submit,
)
from tests.stores.sqlite.files import NOW, fails_to_open, query

RECORDED = Path(__file__).parent / "version1.sql"
"""A file as version 1 left it: what `sqlite3 chat.db .dump` said, and the two pragmas beside it."""

NEXT = ("ALTER TABLE room ADD COLUMN topic TEXT", "UPDATE room SET topic = 'about ' || name")


def restore(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(RECORDED.read_text(encoding="utf-8"))


def shape(path: Path) -> list[tuple[object, ...]]:
    return query(path, "SELECT name, sql FROM sqlite_master ORDER BY name")


async def test_a_file_recorded_by_version_1_is_read_and_written(tmp_path: Path) -> None:
    restore(tmp_path / "chat.db")
    node = Writer("other")
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        secret = await store.secret()
        log, record = await log_of(store, LOBBY), await store.load(LOBBY)
        page = await store.page(LOBBY, After(0), 9)
        appends = [
            node.append(LOBBY, b"x"),
            node.append(LOBBY, keyed("k", b"y"), fence=log[2].link),
        ]
        refused, known = await submit(store, appends, NOW)
    assert secret == bytes(range(32))
    assert [(entry.seq, entry.fact, entry.control) for entry in log] == [
        (1, b"a", False),
        (2, b"b", False),
        (3, b"control", True),
        (4, b"c", False),
    ]
    assert record == RoomRecord(snapshot_at(log[2]), log[3:], rows(1, 2))
    assert page.rows == rows(1, 2)
    assert refused == Behind()
    assert items_of(known) == (Known(log[0].seq, log[0].link, log[0].at),)


async def test_every_version_arrives_at_the_same_tables(tmp_path: Path) -> None:
    restore(tmp_path / "old.db")
    for name in ("old.db", "new.db"):
        async with SqliteStore(tmp_path / name).open():
            pass
    assert shape(tmp_path / "old.db") == shape(tmp_path / "new.db")
    assert query(tmp_path / "old.db", "PRAGMA user_version") == [(len(schema.STEPS),)]


def test_an_older_file_goes_through_the_steps_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    restore(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection, str(path), (*schema.STEPS[:1], NEXT))
        schema.migrate(connection, str(path), (*schema.STEPS[:1], NEXT))
    assert query(path, "PRAGMA user_version") == [(2,)]
    assert query(path, "SELECT name, topic FROM room") == [("lobby", "about lobby")]


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    restore(path)
    before = shape(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"),
    ):
        schema.migrate(connection, str(path), (*schema.STEPS[:1], (*NEXT, "DROP TABLE nowhere")))
    assert shape(path) == before
    assert query(path, "PRAGMA user_version") == [(1,)]


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with SqliteStore(path).open():
        pass
    newer = len(schema.STEPS) + 1
    query(path, f"PRAGMA user_version = {newer}")
    assert await fails_to_open(SqliteStore(path)) == (
        f"{path} has schema version {newer}, and this roomkit knows {newer - 1}: install the newer "
        "roomkit that wrote it, or go back to the backup made before that"
    )
