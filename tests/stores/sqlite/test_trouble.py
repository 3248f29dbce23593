"""Disks that fill up, fail, and come back: everybody is told, and nothing acknowledged is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from roomkit import Hub, Refused, User, UserId
from roomkit.core.storage import Failed, Outcome, Stored, Unknown
from roomkit.errors import StoreError
from roomkit.ids import RoomId
from roomkit.stores import SqliteStore
from roomkit.stores.sqlite import connections
from roomkit.testing.store_laws.writing import (
    LOBBY,
    Writer,
    entries_of,
    log_of,
    rows,
    snapshot_at,
    submit,
)
from tests.stores.sqlite.files import NOW, query

if sys.platform != "win32":
    import resource

ALICE = User(UserId("u-alice"), "alice")
LARGE = bytes(100_000)


@contextmanager
def small_disk(folder: Path) -> Generator[None]:
    """A file system of 1 MiB mounted on a folder."""
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("mounting a small file system needs root and mount")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


async def fill_up(store: SqliteStore, node: Writer) -> tuple[list[Outcome], Outcome]:
    """Append until one is not stored; return those that were, and that one."""
    stored: list[Outcome] = []
    while True:
        (outcome,) = await submit(store, [node.append(LOBBY, LARGE)], NOW)
        if not isinstance(outcome, Stored):
            return stored, outcome
        stored.append(outcome)
        assert len(stored) < 1_000


async def test_on_a_full_disk_appends_fail_reads_go_on_and_space_heals_it(tmp_path: Path) -> None:
    with small_disk(tmp_path):
        path, node = tmp_path / "chat.db", Writer()
        ballast = tmp_path / "ballast"
        make(ballast, 300_000)
        async with (store := SqliteStore(path)).open():
            stored, failed = await fill_up(store, node)
            with pytest.raises(StoreError, match="the disk is full: free some space"):
                await store.save(LOBBY, snapshot_at(entries_of(stored[0])[0], LARGE * 4), (), NOW)
            log = await log_of(store, LOBBY)
            ballast.unlink()
            (healed,) = await submit(store, [node.append(LOBBY, LARGE)], NOW)
            kept = await log_of(store, LOBBY)
        assert failed == Failed(
            f"{path}: the disk is full: free some space, the store goes on by itself (SQLITE_FULL)"
        )
        assert log == tuple(entry for outcome in stored for entry in entries_of(outcome))
        assert kept == (*log, *entries_of(healed))
        assert query(path, "PRAGMA integrity_check") == [("ok",)]


def make(path: Path, size: int) -> None:
    path.write_bytes(bytes(size))


class FailingConnection(sqlite3.Connection):
    """Fails at a commit as a disk does; the test says when, and whether before or after it."""

    failing: Callable[[], str | None]

    def execute(self, statement: str, parameters: object = (), /) -> sqlite3.Cursor:
        when = type(self).failing() if statement == "COMMIT" else None
        if when == "after":
            super().execute(statement)
        if when is not None:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error
        return super().execute(statement, parameters)  # type: ignore[arg-type]  # handed on as is


class Disk:
    """Every connection ever opened, and what the next commits come to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fate: list[str | None] = []
        self.opened = 0
        disk = self

        class Connection(FailingConnection):
            @staticmethod
            def failing() -> str | None:
                return disk.fate.pop(0) if disk.fate else None

        def connect(path: str) -> sqlite3.Connection:
            self.opened += 1
            return sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, factory=Connection
            )

        monkeypatch.setattr(connections, "connect", connect)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_commit_that_failed_is_in_doubt_and_its_nonce_settles_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """On a new connection: nothing more is written through the one on which the disk failed."""
    disk, node = Disk(monkeypatch), Writer()
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        first = await node.write(store, LOBBY, b"a", now=NOW)
        await store.load(LOBBY)
        await store.load(RoomId("attic"))
        opened = disk.opened
        disk.fate = [when]
        append = node.append(LOBBY, b"b")
        doubt, also = await submit(store, [append, node.append(RoomId("attic"), b"c")], NOW)
        (settled,) = await submit(store, [append], NOW)
        assert disk.opened == opened + 1
        log = await log_of(store, LOBBY)
    assert doubt == also
    assert isinstance(doubt, Unknown)
    assert "the disk failed to read or write: look for its errors" in doubt.reason
    assert "(SQLITE_IOERR_FSYNC)" in doubt.reason
    assert log == (*first, *entries_of(settled))
    assert [entry.fact for entry in log] == [b"a", b"b"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
async def test_a_write_the_system_refuses_is_certainly_not_stored_or_in_doubt(
    tmp_path: Path,
) -> None:
    """A real error of a real write: this process may make no file longer than it is."""
    path, node = tmp_path / "chat.db", Writer()
    async with (store := SqliteStore(path)).open():
        first = await node.write(store, LOBBY, b"a", now=NOW)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        append = node.append(LOBBY, LARGE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
        try:
            (refused,) = await submit(store, [append], NOW)
            log = await log_of(store, LOBBY)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        (stored,) = await submit(store, [append], NOW)
        healed = await log_of(store, LOBBY)
    assert isinstance(refused, Failed | Unknown)
    assert "(SQLITE_IOERR_WRITE)" in refused.reason
    assert log == first
    assert healed == (*first, *entries_of(stored))


async def test_a_file_that_cannot_be_opened_again_fails_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, node, path = Disk(monkeypatch), Writer(), tmp_path / "chat.db"
    async with (store := SqliteStore(path)).open():
        await node.write(store, LOBBY, b"a", now=NOW)
        disk.fate = ["before"]
        await submit(store, [node.append(LOBBY, b"b")], NOW)
        working = connections.connect

        def refuse(path: str) -> sqlite3.Connection:
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error

        monkeypatch.setattr(connections, "connect", refuse)
        (failed,) = await submit(store, [node.append(LOBBY, b"c")], NOW)
        with pytest.raises(StoreError, match="it cannot be opened: the directory must exist"):
            await store.save(LOBBY, snapshot_at((await log_of(store, LOBBY))[0]), rows(1), NOW)
        monkeypatch.setattr(connections, "connect", working)
        (entry,) = await node.write(store, LOBBY, b"d", now=NOW)
    assert isinstance(failed, Failed)
    assert entry.seq == 2


async def test_another_programs_lock_fails_an_append_and_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_S", 0.01)
    path, node = tmp_path / "chat.db", Writer()
    async with (store := SqliteStore(path)).open():
        shell = sqlite3.connect(path, isolation_level=None)
        shell.execute("BEGIN IMMEDIATE")
        (failed,) = await submit(store, [node.append(LOBBY, b"a")], NOW)
        assert await log_of(store, LOBBY) == ()
        shell.execute("ROLLBACK")
        shell.close()
        (entry,) = await node.write(store, LOBBY, b"b", now=NOW)
    assert isinstance(failed, Failed)
    assert "another program has locked it" in failed.reason
    assert entry.seq == 1


async def test_what_sqlite_cannot_take_fails_alone(tmp_path: Path) -> None:
    """A name that is no text spoils its own call, and no other of the same transaction."""
    node = Writer()
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        with pytest.raises(UnicodeEncodeError):
            await submit(store, [node.append(RoomId("\ud800"), b"a")], NOW)
        with pytest.raises(OverflowError):
            await submit(store, [node.append(LOBBY, b"a")], 2**70)
        (entry,) = await node.write(store, LOBBY, b"b", now=NOW)
    assert entry.seq == 1


async def test_a_sender_is_told_that_the_store_is_unavailable_and_then_that_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path):
        store = SqliteStore(tmp_path / "chat.db")
        ballast = tmp_path / "ballast"
        async with Hub(store=store) as hub:
            await hub.post("general", "hello", as_=ALICE)
            make_full(ballast)
            with pytest.raises(Refused, match="unavailable: the message store cannot write"):
                await post_without_end(hub)
            ballast.unlink()
            await hub.post("general", "there you are", as_=ALICE)
    assert "not stored: " in caplog.text
    assert "the disk is full: free some space" in caplog.text


async def post_without_end(hub: Hub) -> None:
    for _ in range(1_000):
        await hub.post("general", "x" * 4_000, as_=ALICE)


def make_full(path: Path) -> None:
    """Take all the space there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4_096))
        except OSError:
            return
