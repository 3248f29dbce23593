"""Everything a store holds is there when the file is opened again, also after the process died."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from roomkit.core.storage import After, Behind, Entry, Known, MessagePage, RoomRecord, Tip
from roomkit.ids import NodeId, RoomId
from roomkit.stores import SqliteStore
from roomkit.testing.store_laws.writing import (
    LOBBY,
    Writer,
    entries_of,
    items_of,
    keyed,
    log_of,
    rows,
    snapshot_at,
    submit,
)
from tests.stores.sqlite.files import NOW, mode_of, names_in, query

HOUR_MS = 3_600_000

WRITES_UNTIL_KILLED = """
import sys, anyio
from roomkit import SqliteStore
from roomkit.testing.store_laws.writing import LOBBY, Writer, keyed, submit

async def main():
    node, store = Writer(), SqliteStore(sys.argv[1], durability=sys.argv[2])
    async with store.open():
        for number in range(1_000_000):
            facts = [keyed(f"{number}-{part}", b"%d %d" % (number, part)) for part in range(7)]
            (outcome,) = await submit(store, [node.append(LOBBY, *facts)], 1_800_000_000_000)
            print(number, outcome.items[-1].seq, outcome.items[-1].link, flush=True)

anyio.run(main)
"""


async def test_everything_is_there_after_the_file_was_closed(tmp_path: Path) -> None:
    path, node, other = tmp_path / "chat.db", Writer(), Writer("other")
    attic = RoomId("attic")
    async with (store := SqliteStore(path)).open():
        secret = await store.secret()
        await submit(store, [node.append(LOBBY, keyed("k", b"a"), b"b")], NOW)
        control = await other.control(store, LOBBY, NOW)
        last = node.append(LOBBY, b"c", keyed("k", b"again"), fence=control.link)
        (answer,) = await submit(store, [last], NOW + 1)
        await store.save(LOBBY, snapshot_at(control), rows(1, 2), NOW)
        await node.write(store, attic, b"d", now=NOW)
        await store.renew(NodeId("node-1"), HOUR_MS)
        log, record = await log_of(store, LOBBY), await store.load(LOBBY)
    async with (store := SqliteStore(path)).open():
        assert await store.secret() == secret
        assert (await log_of(store, LOBBY), await store.load(LOBBY)) == (log, record)
        assert record == RoomRecord(snapshot_at(control), log[3:], rows(1, 2))
        assert await store.rooms(None, 10) == [attic, LOBBY]
        assert await store.tips([LOBBY]) == {LOBBY: Tip(4, log[3].link, 3)}
        assert await store.page(LOBBY, After(0), 9) == MessagePage(
            rows(1, 2), 3, has_before=False, has_after=False, complete=True
        )
        assert await store.lapsed([NodeId("node-1"), NodeId("node-2")]) == ["node-2"]
        fenced = other.append(LOBBY, b"e")
        known = other.append(LOBBY, keyed("k", b"f"), b"g", fence=control.link)
        outcomes = await submit(store, [last, fenced, known], NOW + 2)
    assert outcomes[:2] == [answer, Behind()]
    first, (again, added) = log[0], items_of(outcomes[2])
    assert again == Known(first.seq, first.link, first.at)
    assert isinstance(added, Entry)
    assert (added.seq, added.prev) == (5, log[3].link)


async def test_a_lease_ends_by_the_wall_clock_while_nobody_has_the_file_open(
    tmp_path: Path,
) -> None:
    seconds = [1_000.0]
    store = SqliteStore(tmp_path / "chat.db", clock=lambda: seconds[0])
    node = NodeId("node-1")
    async with store.open():
        await store.renew(node, 45_000)
    seconds[0] += 44
    async with store.open():
        assert await store.lapsed([node]) == []
    seconds[0] += 2
    async with store.open():
        assert await store.lapsed([node]) == [node]


async def test_a_closed_file_is_one_file_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """It holds what people said to each other, and the secret."""
    path = tmp_path / "chat.db"
    async with (store := SqliteStore(path)).open():
        await Writer().write(store, LOBBY, b"a", now=NOW)
        assert names_in(tmp_path) == [
            "chat.db",
            "chat.db-shm",
            "chat.db-wal",
            "chat.db.lock",
        ]
    assert names_in(tmp_path) == ["chat.db", "chat.db.lock"]
    assert mode_of(path) == 0o600


def killed_writer(path: Path, durability: str, acks: int) -> list[tuple[int, int, str]]:
    """Run a process that appends without end, kill it, and return what it was acknowledged."""
    command = [sys.executable, "-c", WRITES_UNTIL_KILLED, str(path), durability]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(acks)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(int(number), int(seq), link) for number, seq, link in whole]


async def check_acknowledged(path: Path, acked: list[tuple[int, int, str]]) -> None:
    """What was acknowledged is there in one unbroken chain; of the rest, whole appends."""
    async with (store := SqliteStore(path)).open():
        log = await log_of(store, LOBBY)
    assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
    assert [entry.prev for entry in log[1:]] == [entry.link for entry in log[:-1]]
    assert [(log[seq - 1].fact, log[seq - 1].link) for _, seq, link in acked] == [
        (b"%d 6" % number, link) for number, _, link in acked
    ]
    assert [entry.fact for entry in log] == [
        b"%d %d" % divmod(number, 7) for number in range(len(log))
    ]
    assert len(log) % 7 == 0
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    for number, durability in enumerate(["sqlite-full", "sqlite-normal"] * 2):
        path = tmp_path / f"{number}.db"
        acked = killed_writer(path, durability, acks=20 + 17 * number)
        assert len(acked) >= 20
        assert f"{path.name}-wal" in names_in(tmp_path)
        await check_acknowledged(path, acked)


async def test_an_append_in_doubt_when_the_process_was_killed_is_settled_by_its_nonce(
    tmp_path: Path,
) -> None:
    path = tmp_path / "chat.db"
    acked = killed_writer(path, "sqlite-full", acks=10)
    node = Writer()
    node.counter = acked[-1][0]
    number = node.counter
    facts = [keyed(f"{number}-{part}", b"%d %d" % (number, part)) for part in range(7)]
    async with (store := SqliteStore(path)).open():
        (stored,) = [await submit(store, [node.append(LOBBY, *facts)], NOW)]
        log = await log_of(store, LOBBY)
    at = number * 7
    assert stored == [Behind()] or entries_of(stored[0]) == log[at : at + 7]
    assert [entry.fact for entry in log].count(b"%d 0" % number) == 1
