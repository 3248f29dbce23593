"""A file that cannot be used says so when it is opened, and what to do about it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest

from roomkit.errors import StoreError
from roomkit.stores import SqliteStore
from roomkit.stores.sqlite import connections
from roomkit.testing.store_laws.writing import LOBBY, Writer, log_of
from tests.stores.sqlite.files import (
    NOW,
    contents,
    fails_to_open,
    pages_of,
    query,
    replace_with,
    set_mode,
    tear_pages,
)

HOLDS_IT = """
import sys, anyio
from roomkit import SqliteStore

async def main():
    async with SqliteStore(sys.argv[1]).open():
        print("open", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read)

anyio.run(main)
"""

SAYS_WHY_NOT = """
import os, sys, anyio
from roomkit import SqliteStore, StoreError

async def main():
    if os.geteuid() == 0:
        os.setuid(65534)
    async with SqliteStore(sys.argv[1]).open():
        pass

try:
    anyio.run(main)
except StoreError as error:
    print(error)
"""


@contextmanager
def held_by_another_process(path: Path) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDS_IT, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            process.kill()


def said_to_an_ordinary_user(path: Path) -> str:
    """What opening the file says to somebody who may not do everything, as root may."""
    command = [sys.executable, "-c", SAYS_WHY_NOT, str(path)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


@pytest.fixture
def shared_folder() -> Generator[Path]:
    """A folder every user may look into."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


async def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    store = SqliteStore(path)
    with held_by_another_process(path) as other:
        assert await fails_to_open(store) == (
            f"{path} is in use by another server: one process serves a file. Stop the other one, "
            "or give this one a file of its own; hubs of one process share a store through "
            "another()"
        )
        other.kill()
        other.wait(10)
        async with store.open():
            assert await log_of(store, LOBBY) == ()


async def test_so_is_a_second_store_of_this_process(tmp_path: Path) -> None:
    """By whatever name it calls the file."""
    path, alias = tmp_path / "chat.db", tmp_path / "alias.db"
    alias.symlink_to(path)
    async with SqliteStore(path).open():
        assert "in use by another server" in await fails_to_open(SqliteStore(alias))


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "chat.db"
    assert await fails_to_open(SqliteStore(path)) == (
        f"{path}.lock cannot be made (No such file or directory): the directory of the store must "
        "exist, and this user must be allowed to write to it"
    )


async def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be written (Is a directory)" in await fails_to_open(SqliteStore(tmp_path))


async def test_a_folder_that_may_not_be_written_is_named(shared_folder: Path) -> None:
    path = shared_folder / "chat.db"
    set_mode(0o555, shared_folder)
    assert said_to_an_ordinary_user(path) == (
        f"{path}.lock cannot be made (Permission denied): the directory of the store must exist, "
        "and this user must be allowed to write to it"
    )


async def test_a_file_that_may_not_be_written_is_named(shared_folder: Path) -> None:
    path = shared_folder / "chat.db"
    async with SqliteStore(path).open():
        pass
    set_mode(0o444, path)
    set_mode(0o777, shared_folder, Path(f"{path}.lock"))
    assert said_to_an_ordinary_user(path) == (
        f"{path} cannot be written (Permission denied): it must be a file in an existing "
        "directory, and this user must be allowed to write to both"
    )


async def test_a_file_locked_by_another_program_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_S", 0.01)
    path = tmp_path / "chat.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("BEGIN EXCLUSIVE")
        assert await fails_to_open(SqliteStore(path)) == (
            f"{path}: another program has locked it: end that program's transaction, or close the "
            "program (SQLITE_BUSY)"
        )
        shell.execute("ROLLBACK")
        async with SqliteStore(path).open():
            pass


async def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    replace_with(path, b"Dear diary, " * 1_000)
    assert await fails_to_open(SqliteStore(path)) == (
        f"{path}: it is no SQLite file: give another path, or put a backup in its place "
        "(SQLITE_NOTADB)"
    )
    assert contents(path) == b"Dear diary, " * 1_000


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as shop:
        shop.execute("CREATE TABLE price (item TEXT, cents INTEGER)")
    assert await fails_to_open(SqliteStore(path)) == (
        f"{path} is another program's database: give the store a path of its own"
    )
    assert query(path, "SELECT name FROM sqlite_master") == [("price",)]


async def test_a_torn_page_is_found_after_the_server_died(tmp_path: Path) -> None:
    """Then all of it is looked over, at every start until it is whole."""
    path = tmp_path / "chat.db"
    with held_by_another_process(path) as other:
        other.kill()
    async with (store := SqliteStore(path)).open():
        await Writer().fill(store, LOBBY, 2_000, NOW)
    whole = contents(path)
    with held_by_another_process(path) as other:
        other.kill()
    tear_pages(path, pages_of(path) - 1)
    message = await fails_to_open(SqliteStore(path))
    assert message.startswith(
        f"{path}: it is damaged: stop the server, keep a copy of the file and of its -wal, and put "
        "the last backup in its place ("
    )
    replace_with(path, whole)
    async with SqliteStore(path).open():
        pass


async def test_a_torn_page_is_said_by_whoever_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with (store := SqliteStore(path)).open():
        await Writer().fill(store, LOBBY, 2_000, NOW)
    pages = pages_of(path)
    tear_pages(path, *range(pages // 2, pages + 1))
    async with (store := SqliteStore(path)).open():
        with pytest.raises(StoreError, match=r"chat\.db: it is damaged: stop the server, keep a"):
            await store.read(LOBBY, 0, 2_000)
        assert await store.lapsed([]) == []


async def test_opening_may_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with SqliteStore(path).open():
            pytest.fail("it was cancelled before it began")
    async with SqliteStore(path).open():
        pass


async def test_a_store_that_is_not_open_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chat.db")
    with pytest.raises(StoreError, match=r"is not open: use the store inside `async with store"):
        await store.load(LOBBY)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"path": ":memory:"}, "path must name a file, not ':memory:': for memory use MemoryStore"),
        ({"path": ""}, "path must name a file, not ''"),
        ({"messages": 0}, "messages must be 1 or more, not 0; None keeps everything"),
        ({"messages_age_ms": 0}, "messages_age_ms must be 1 or more, not 0"),
        ({"durability": "full"}, "durability must be sqlite-full or sqlite-normal, not 'full'"),
    ],
)
def test_a_wrong_option_is_explained(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        SqliteStore(**{"path": "chat.db", **options})  # type: ignore[arg-type]  # wrong on purpose


def test_it_says_what_an_ack_means(tmp_path: Path) -> None:
    full = SqliteStore(tmp_path / "a.db")
    normal = SqliteStore(tmp_path / "a.db", durability="sqlite-normal")
    assert (full.durability, normal.durability) == ("sqlite-full", "sqlite-normal")
