"""Many callers at once, callers that go away, and what one transaction makes of them."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import pytest

from roomkit.core.effects import Append
from roomkit.core.storage import Known, Nonce, Stored
from roomkit.ids import NodeId, RoomId
from roomkit.stores import SqliteStore
from roomkit.testing.store_laws.writing import (
    LOBBY,
    Writer,
    entries_of,
    items_of,
    keyed,
    log_of,
    submit,
)
from tests.stores.sqlite.files import NOW


class Gate:
    """Keeps the writer's thread busy until it is opened."""

    def __init__(self, store: SqliteStore) -> None:
        self._database = store._database
        self._taken = threading.Event()
        self._held = threading.Event()

    async def hold(self) -> None:
        def work(transaction: object) -> None:
            self._taken.set()
            self._held.wait(30)

        await self._database.write(work)

    async def closed(self) -> None:
        """Wait until the thread is held, so that what is asked from here on waits together."""
        await anyio.to_thread.run_sync(self._taken.wait, 30)

    def open(self) -> None:
        self._held.set()


async def test_calls_that_wait_together_are_one_transaction(tmp_path: Path) -> None:
    rooms = [RoomId(f"room-{number % 10}") for number in range(200)]
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        gate, transactions = Gate(store), set[int]()

        async def call(number: int) -> None:
            append = Writer(f"node-{number}").append(rooms[number], b"%d" % number)

            def work(transaction: object) -> None:
                transactions.add(id(transaction))

            await store._database.write(work)
            await store.append([append], NOW)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gate.hold)
            await gate.closed()
            for number in range(200):
                tasks.start_soon(call, number)
            await anyio.wait_all_tasks_blocked()
            gate.open()
        logs = {room: await log_of(store, room) for room in rooms}
    assert len(transactions) == 1
    assert {room: [entry.seq for entry in log] for room, log in logs.items()} == {
        room: list(range(1, 21)) for room in rooms
    }
    assert sorted(int(entry.fact) for log in logs.values() for entry in log) == list(range(200))


async def test_an_append_is_cancelled_at_once_and_may_have_been_stored(tmp_path: Path) -> None:
    node = Writer()
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        gate, append = Gate(store), node.append(LOBBY, b"a")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gate.hold)
            await gate.closed()
            with anyio.move_on_after(0.01) as scope:
                await store.append([append], NOW)
            assert scope.cancelled_caught
            gate.open()
        (settled,) = await submit(store, [append], NOW)
        (again,) = await submit(store, [append], NOW)
        log = await log_of(store, LOBBY)
    assert settled == again
    assert log == entries_of(settled)


async def test_work_begun_for_a_caller_who_left_is_finished(tmp_path: Path) -> None:
    """The caller goes while its transaction runs; the next one finds it whole."""
    begun, go_on = threading.Event(), threading.Event()
    append = Writer().append(LOBBY, b"a", b"b")
    async with (store := SqliteStore(tmp_path / "chat.db")).open():

        def slow(work: object) -> None:
            begun.set()
            go_on.wait(30)
            work.append(append, NOW)  # type: ignore[attr-defined]  # a transaction

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store._database.write, slow)
            await anyio.to_thread.run_sync(begun.wait, 30)
            tasks.cancel_scope.cancel()
        go_on.set()
        (stored,) = await submit(store, [append], NOW)
        log = await log_of(store, LOBBY)
    assert [entry.fact for entry in log] == [b"a", b"b"]
    assert log == entries_of(stored)


async def test_a_key_known_to_one_append_undoes_nothing_of_the_others(tmp_path: Path) -> None:
    """The transaction is done again with keys looked up, and every answer is right."""
    attic, node = RoomId("attic"), Writer()
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        await submit(store, [node.append(LOBBY, keyed("k", b"a"))], NOW)
        outcomes = await submit(
            store,
            [
                node.append(attic, keyed("k", b"b"), b"c"),
                node.append(LOBBY, keyed("j", b"d")),
                node.append(LOBBY, keyed("k", b"e"), keyed("j", b"f"), b"g"),
            ],
            NOW,
        )
        logs = [await log_of(store, room) for room in (LOBBY, attic)]
    first, second, third = (items_of(outcome) for outcome in outcomes)
    a, d, g = logs[0]
    assert [entry.fact for entry in logs[0]] == [b"a", b"d", b"g"]
    assert (first, second) == (logs[1], (d,))
    assert third == (Known(a.seq, a.link, a.at), Known(d.seq, d.link, d.at), g)


async def test_rooms_not_remembered_any_more_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roomkit.stores.sqlite.heads._ROOMS", 2)
    node, rooms = Writer(), [RoomId(f"room-{number}") for number in range(5)]
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        fences = {room: (await node.control(store, room, NOW)).link for room in rooms}
        old = [node.append(room, b"a", fence=fences[room]) for room in rooms]
        first = await submit(store, old, NOW)
        again = await submit(store, old, NOW)
    assert again == first
    assert [entries_of(outcome)[0].seq for outcome in first] == [2] * 5


async def test_a_node_counts_anew_after_a_day_and_its_old_nonces_go(tmp_path: Path) -> None:
    day = 24 * 3_600_000
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        for number in range(5):
            await Writer(f"node-{number}").fill(store, LOBBY, 1, NOW)
        await Writer("node-9").fill(store, LOBBY, 1, NOW + day)
        (anew,) = await Writer("node-3").fill(store, LOBBY, 1, NOW + day)
        nodes = await store._database.read(
            lambda file: file.execute("SELECT node FROM nonce ORDER BY node").fetchall()
        )
    assert anew.seq == 7
    assert nodes == [("node-3",), ("node-9",)]


async def test_an_append_without_facts_is_refused_before_anything_is_stored(
    tmp_path: Path,
) -> None:
    node = Writer()
    nothing = Append(LOBBY, Nonce(NodeId("node-1"), 9), "", (), control=False)
    async with (store := SqliteStore(tmp_path / "chat.db")).open():
        with pytest.raises(ValueError, match="an append to 'lobby' has no facts"):
            await store.append([node.append(LOBBY, b"a"), nothing], NOW)
        assert await store.rooms(None, 10) == []


async def test_the_file_stays_open_while_any_handle_is(tmp_path: Path) -> None:
    here = SqliteStore(tmp_path / "chat.db")
    there = here.another()
    async with there.open():
        async with here.open():
            await here.follow(LOBBY)
            await Writer().write(here, LOBBY, b"a", now=NOW)
        assert here._shared.followers == {}
        assert len(await log_of(there, LOBBY)) == 1
    async with here.open():
        assert len(await log_of(here, LOBBY)) == 1


async def test_leaving_waits_for_what_was_asked(tmp_path: Path) -> None:
    append = Writer().append(LOBBY, b"a")
    store = SqliteStore(tmp_path / "chat.db")
    outcomes: list[object] = []

    async def write() -> None:
        outcomes.extend(await store.append([append], NOW))

    async with anyio.create_task_group() as tasks, store.open():
        tasks.start_soon(write)
        await anyio.wait_all_tasks_blocked()
    assert [type(outcome) for outcome in outcomes] == [Stored]
