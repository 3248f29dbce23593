"""What a machine that loses power leaves of a store: with FULL every ack, with NORMAL a told gap.

The store is the real one, on an SQLite whose file layer keeps count of what was synced.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from roomkit import Hub, Limits
from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import Nonce, Stored
from roomkit.ids import NodeId, Position, RoomId
from roomkit.stores import SqliteStore
from roomkit.stores.sqlite import connections
from roomkit.testing.socketless import connect
from tests.stores.sqlite.power_loss import Disk

LOBBY = RoomId("lobby")
NOON = 1_704_110_400_000
_NUMBERS = itertools.count()


class _Rows:
    """A cursor of apsw's, with what the store asks of one of the standard library's."""

    def __init__(self, cursor: apsw.Cursor, connection: apsw.Connection) -> None:
        self._cursor = cursor
        self.rowcount = connection.changes()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._cursor

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()


class _Connection:
    """A connection of apsw's that passes for one of the standard library's."""

    def __init__(self, path: str, vfs: str) -> None:
        self._connection = apsw.Connection(path, vfs=vfs)
        self._connection.set_busy_timeout(2_000)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, statement: str, values: Any = None) -> _Rows:
        try:
            return _Rows(self._connection.execute(statement, values), self._connection)
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """A disk of its own, on which all databases are opened until `power_is_back`."""
    disk = Disk(f"disk-{next(_NUMBERS)}")
    monkeypatch.setattr(connections, "connect", lambda path: _Connection(path, disk.name))
    yield disk
    disk.unregister()


def power_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on databases are opened by the standard library again."""
    monkeypatch.undo()


def append(counter: int, text: str) -> Append:
    items = (FactItem(f"key-{counter}", text.encode()),)
    return Append(LOBBY, Nonce(NodeId("n1"), counter), "", items, False)


async def write(store: SqliteStore, first: int, count: int) -> list[Position]:
    """Append one entry after the other; return where each was acknowledged to be."""
    acked: list[Position] = []
    for counter in range(first, first + count):
        (outcome,) = await store.append([append(counter, f"text {counter}")], NOON + counter)
        assert isinstance(outcome, Stored)
        acked.append(outcome.items[0].position)
    return acked


def lose_power(disk: Disk, folder: Path, chance: random.Random | None) -> Path:
    folder.mkdir()
    disk.lose_power(folder, chance)
    return folder / "chat.db"


@pytest.mark.parametrize("seed", [None, *range(5)])
async def test_with_full_every_acknowledged_entry_is_there(
    seed: int | None, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = None if seed is None else random.Random(seed)
    store = SqliteStore(tmp_path / "chat.db")
    async with store.open():
        secret = await store.secret()
        acked = await write(store, 1, 60)
        assert disk.syncs >= len(acked)
        left = lose_power(disk, tmp_path / "left", chance)
    power_is_back(monkeypatch)
    again = SqliteStore(left)
    async with again.open():
        found = await again.read(LOBBY, 0, 1_000)
        assert [entry.position for entry in found.entries] == acked
        assert await again.secret() == secret
        (repeated,) = await again.append([append(60, "text 60")], NOON + 61)
        assert isinstance(repeated, Stored)
        assert repeated.items[0].position == acked[-1]


@pytest.mark.parametrize("seed", [None, *range(5)])
async def test_with_normal_the_newest_may_be_lost_and_what_is_left_is_whole(
    seed: int | None, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = None if seed is None else random.Random(seed)
    first = SqliteStore(tmp_path / "chat.db", durability="sqlite-normal")
    async with first.open():
        kept = await write(first, 1, 20)
    second = SqliteStore(tmp_path / "chat.db", durability="sqlite-normal")
    async with second.open():
        acked = kept + await write(second, 21, 40)
        left = lose_power(disk, tmp_path / "left", chance)
    power_is_back(monkeypatch)
    again = SqliteStore(left, durability="sqlite-normal")
    async with again.open():
        found = await again.read(LOBBY, 0, 1_000)
    positions = [entry.position for entry in found.entries]
    assert positions == acked[: len(positions)]
    assert len(positions) >= len(kept)
    assert len(positions) < len(acked)


async def test_what_normal_loses_is_told_as_a_gap_and_never_becomes_a_fork(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hub_on(path: Path) -> Hub:
        return Hub(store=SqliteStore(path, durability="sqlite-normal"), limits=Limits())

    async with await hub_on(tmp_path / "chat.db") as hub:
        await hub.post("lobby", "before the file was closed")
    async with await hub_on(tmp_path / "chat.db") as hub, connect(hub) as alice:
        await alice.send("hello", {"protocol": 2, "username": "alice"})
        welcome = (await alice.receive()).data
        await alice.send("join_room", {"room": "lobby"})
        assert (await alice.receive()).type == "room_joined"
        lost = await hub.post("lobby", "lost")
        assert (await alice.receive()).data["link"] == lost.link
        left = lose_power(disk, tmp_path / "left", None)
    power_is_back(monkeypatch)
    async with await hub_on(left) as hub, connect(hub) as again:
        other = await hub.post("lobby", "after")
        assert other.seq <= lost.seq and other.link != lost.link
        who = {"token": welcome["guest_token"], "session": welcome["session"]}
        await again.send("hello", {"protocol": 2, "username": "alice", **who})
        assert (await again.receive()).type == "welcome"
        since = {"seq": lost.seq, "link": lost.link}
        await again.send("join_room", {"room": "lobby", "since": since})
        joined: dict[str, Any] = (await again.receive()).data
    assert (joined["recovered"], joined["gap"]) == (
        False,
        {"reason": "forked", "from_seq": lost.seq + 1},
    )
    texts = [message["message"] for message in joined["messages"]]
    assert texts == ["before the file was closed", "after"]
