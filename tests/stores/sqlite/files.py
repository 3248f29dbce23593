"""Stores on a file of a test's own, and looks into it that go past the store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from roomkit.errors import StoreError
from roomkit.stores import SqliteStore

__all__ = [
    "NOW",
    "contents",
    "fails_to_open",
    "mode_of",
    "names_in",
    "pages_of",
    "query",
    "replace_with",
    "set_mode",
    "tear_pages",
]

NOW = 1_800_000_000_000


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    """What a shell of the operator would see, on a connection of its own."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


async def fails_to_open(store: SqliteStore) -> str:
    """The message of the one error that `open()` raised, however often it is tried."""
    said: set[str] = set()
    for _ in range(2):
        try:
            async with store.open():
                said.add("opened")
        except StoreError as error:
            said.add(str(error))
    (message,) = said
    return message


def pages_of(path: Path) -> int:
    ((pages,),) = query(path, "PRAGMA page_count")
    assert isinstance(pages, int)
    return pages


def tear_pages(path: Path, *numbers: int) -> None:
    """Overwrite 100 bytes in the head of pages, counted from 1."""
    with path.open("r+b") as file:
        for number in numbers:
            file.seek((number - 1) * 4096)
            file.write(b"\xa5" * 100)


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def set_mode(mode: int, *paths: Path) -> None:
    for path in paths:
        path.chmod(mode)


def contents(path: Path) -> bytes:
    return path.read_bytes()


def replace_with(path: Path, content: bytes) -> None:
    path.write_bytes(content)
