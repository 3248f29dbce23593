"""What an append makes: dense seqs, chained links, times that never go back, facts as given."""

from __future__ import annotations

import anyio
import anyio.lowlevel

from roomkit.core.storage import Entry, Stored
from roomkit.ids import RoomId, chain_link
from roomkit.stores.base import Store
from roomkit.testing.store_laws.base import StoreLaws
from roomkit.testing.store_laws.writing import (
    LOBBY,
    Writer,
    entries_of,
    log_of,
    submit,
    wall,
)

__all__ = ["AppendLaws"]

ODD_NAMES = [
    RoomId(name)
    for name in (
        "Lobby",
        "LOBBY",
        "lobby",
        "lobby ",
        "lobby*",
        "lobb_",
        "l%",
        "a/b",
        "a:b",
        "{a}b",
        "'; --",
        "caf\u00e9",
        "cafe\u0301",
        "\U0001f98a",
        "x" * 128,
        "x" * 127,
    )
]
"""Names a store is tempted to mix up: by case, pattern, separator, normalisation or length."""


class AppendLaws(StoreLaws):
    async def test_seqs_are_dense_from_one(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            first = await node.write(store, LOBBY, b"a", now=now)
            more = await node.write(store, LOBBY, b"b", b"c", now=now)
            last = await node.write(store, LOBBY, b"d", now=now)
        assert [entry.seq for entry in (*first, *more, *last)] == [1, 2, 3, 4]

    async def test_every_link_is_chained_from_the_one_before(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            made = [*await node.write(store, LOBBY, b"a", b"b", now=now)]
            made += await node.write(store, LOBBY, b"c", now=now + 1)
        assert [entry.prev for entry in made[1:]] == [entry.link for entry in made[:-1]]
        assert [entry.link for entry in made] == [
            chain_link(entry.prev, entry.at, entry.fact) for entry in made
        ]

    async def test_the_first_prev_is_random(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            made = [
                await node.write(store, RoomId(name), b"a", now=now) for name in ("a", "b", "c", "")
            ]
        prevs = {entry.prev for (entry,) in made}
        assert len(prevs - {""}) == 4

    async def test_time_never_goes_back(self) -> None:
        now, node = wall(), Writer()
        times = [now, now - 5_000, now + 10, now + 9, now + 11]
        async with self.handle() as store:
            made = [await node.write(store, LOBBY, b"a", b"b", now=each) for each in times]
        assert [entry.at for batch in made for entry in batch] == [
            at for at in (now, now, now + 10, now + 10, now + 11) for _ in range(2)
        ]

    async def test_facts_are_kept_byte_for_byte(self) -> None:
        now, node = wall(), Writer()
        facts = [b"", b"\x00", b"a\x00b", b"\xff\xfe\x80", b"A a ", bytes(range(256)) * 4]
        async with self.handle() as store:
            made = await node.write(store, LOBBY, *facts, now=now)
            kept = await log_of(store, LOBBY)
        assert [entry.fact for entry in made] == facts
        assert kept == made

    async def test_only_the_last_fact_of_a_control_append_is_marked(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            plain = node.append(LOBBY, b"a")
            control = node.append(LOBBY, b"b", b"c", control=True)
            outcomes = await submit(store, [plain, control], now)
            kept = await log_of(store, LOBBY)
        made = tuple(entry for outcome in outcomes for entry in entries_of(outcome))
        assert [(entry.fact, entry.control) for entry in made] == [
            (b"a", False),
            (b"b", False),
            (b"c", True),
        ]
        assert kept == made

    async def test_outcomes_come_in_the_order_of_the_appends(self) -> None:
        now, node = wall(), Writer()
        rooms = [RoomId(f"room-{number % 7}") for number in range(200)]
        async with self.handle() as store:
            appends = [node.append(room, b"%d" % n) for n, room in enumerate(rooms)]
            outcomes = await submit(store, appends, now)
            logs = {room: await log_of(store, room) for room in set(rooms)}
        assert [entry.fact for outcome in outcomes for entry in entries_of(outcome)] == [
            b"%d" % number for number in range(200)
        ]
        assert logs == {
            room: tuple(
                entry
                for outcome, name in zip(outcomes, rooms, strict=True)
                if name == room
                for entry in entries_of(outcome)
            )
            for room in set(rooms)
        }

    async def test_a_large_append_is_stored_whole(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            made = await node.fill(store, LOBBY, 2_000, now)
            kept = await log_of(store, LOBBY)
        assert [entry.seq for entry in made] == list(range(1, 2_001))
        assert kept == made

    async def test_rooms_whose_names_are_alike_do_not_mix(self) -> None:
        now, node = wall(), Writer()
        async with self.handle() as store:
            for name in ODD_NAMES:
                await node.write(store, name, name.encode(), now=now)
            logs = {name: await log_of(store, name) for name in ODD_NAMES}
        assert {name: [(entry.seq, entry.fact) for entry in log] for name, log in logs.items()} == {
            name: [(1, name.encode())] for name in ODD_NAMES
        }

    async def test_two_nodes_appending_at_once_share_one_log(self) -> None:
        now = wall()
        made: list[Entry] = []

        async def write(store: Store, node: Writer) -> None:
            for number in range(25):
                append = node.append(LOBBY, b"%s %d" % (node.node.encode(), number))
                (outcome,) = await submit(store, [append], now)
                if isinstance(outcome, Stored):
                    made.extend(entries_of(outcome))
                await anyio.lowlevel.checkpoint()

        async with self.handles(2) as (here, there):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(write, here, Writer("here"))
                tasks.start_soon(write, there, Writer("there"))
            kept = await log_of(here, LOBBY)
        assert sorted(entry.fact for entry in kept) == sorted(
            b"%s %d" % (name, number) for name in (b"here", b"there") for number in range(25)
        )
        assert kept == tuple(sorted(made, key=lambda entry: entry.seq))
        assert [entry.seq for entry in kept] == list(range(1, 51))
