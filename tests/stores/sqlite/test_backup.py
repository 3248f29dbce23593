"""The advice of the stores page, tried: a backup while the server runs, and going back to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from roomkit import Hub, User, UserId
from roomkit.stores import SqliteStore
from roomkit.testing.socketless import Client, Frame, connect
from roomkit.testing.store_laws.writing import LOBBY, Writer, log_of
from tests.stores.sqlite.files import NOW, contents, query, replace_with

ALICE = User(UserId("u-alice"), "alice")


def vacuum_into(path: Path, backup: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))


def backup_api(path: Path, backup: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(backup)) as copy:
        connection.backup(copy)


METHODS = pytest.mark.parametrize(
    "back_up", [vacuum_into, backup_api], ids=lambda each: each.__name__
)
BackUp = Callable[[Path, Path], None]


@METHODS
async def test_a_backup_taken_while_the_server_writes_is_whole(
    tmp_path: Path, back_up: BackUp
) -> None:
    path, backup, node = tmp_path / "chat.db", tmp_path / "backup.db", Writer()
    async with (store := SqliteStore(path)).open(), anyio.create_task_group() as tasks:

        async def write() -> None:
            while True:
                await node.fill(store, LOBBY, 10, NOW)

        await node.fill(store, LOBBY, 10, NOW)
        tasks.start_soon(write)
        before = (await store.tips([LOBBY]))[LOBBY]
        await anyio.to_thread.run_sync(back_up, path, backup)
        after = (await store.tips([LOBBY]))[LOBBY]
        tasks.cancel_scope.cancel()
    async with (original := SqliteStore(path)).open():
        log = await log_of(original, LOBBY)
    assert query(backup, "PRAGMA integrity_check") == [("ok",)]
    async with (restored := SqliteStore(backup)).open():
        kept = await log_of(restored, LOBBY)
    assert kept == log[: len(kept)]
    assert before.seq <= len(kept) <= after.seq
    assert len(kept) % 10 == 0


async def hello(client: Client, **data: object) -> Frame:
    await client.send("hello", {"protocol": 2, "username": "bob", **data})
    return await client.receive_type("welcome")


async def join(client: Client, **data: object) -> Frame:
    await client.send("join_room", {"room": "general", "ref": "join", **data})
    return await client.receive_type("room_joined")


def fields(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value


def said_in(joined: Mapping[str, object]) -> list[object]:
    messages = joined["messages"]
    assert isinstance(messages, list)
    return [fields(message)["message"] for message in messages]


@METHODS
async def test_clients_are_told_of_what_a_restored_backup_lacks(
    tmp_path: Path, back_up: BackUp
) -> None:
    """Sessions and tokens go on; a position the backup does not have is a gap, not a mix-up."""
    path, backup = tmp_path / "chat.db", tmp_path / "backup.db"
    async with Hub(store=SqliteStore(path)) as hub:
        async with connect(hub) as bob:
            welcome = (await hello(bob)).data
            await join(bob)
        await hub.post("general", "kept", as_=ALICE)
        await anyio.to_thread.run_sync(back_up, path, backup)
        lost = await hub.post("general", "lost", as_=ALICE)
    replace_with(path, contents(backup))
    async with Hub(store=SqliteStore(path)) as hub:
        instead = await hub.post("general", "instead", as_=ALICE)
        async with connect(hub) as bob:
            again = (
                await hello(bob, session=welcome["session"], token=welcome["guest_token"])
            ).data
            joined = (await join(bob, since={"seq": lost.seq, "link": lost.link})).data
    assert again["user"] == welcome["user"]
    assert (instead.seq, instead.link == lost.link) == (lost.seq, False)
    assert joined["recovered"] is False
    assert (fields(joined["gap"])["reason"], said_in(joined)) == ("forked", ["kept", "instead"])
