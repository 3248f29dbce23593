"""Rooms of a RedisStore that keeps little, with everything in an archive."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any, cast

from redis import Redis

from roomkit.core.storage import After, Before, Entry, MessagePage, MessageRow, Snapshot
from roomkit.stores.archive import SqlArchive
from roomkit.stores.redis import RedisStore
from roomkit.testing.store_laws.writing import LOBBY, Writer, snapshot_at
from tests.stores.archive.servers import TestDatabase
from tests.stores.redis.deployments import Deployment

__all__ = ["NOW", "Room", "backwards", "bodies", "copied", "forwards", "opened", "put_back"]

NOW = 1_700_000_000_000


class Room:
    """The lobby, and a node that writes to it: every entry is a message.

    Args:
        store: opened.
        prefix: of the keys and of the tables.

    Attributes:
        log: what was appended.
    """

    def __init__(self, store: RedisStore, prefix: str) -> None:
        self.store = store
        self.prefix = prefix
        self.log: list[Entry] = []
        self._node = Writer(token_hex(4))

    async def append(self, count: int) -> None:
        facts = [b"message %d" % (len(self.log) + number) for number in range(1, count + 1)]
        self.log += await self._node.write(self.store, LOBBY, *facts, now=NOW)

    def rows(self, first: int, last: int) -> list[MessageRow]:
        """The messages of a range of seqs, as they were posted."""
        return [MessageRow(entry.seq, entry.fact) for entry in self.log[first - 1 : last]]

    def snapshot(self, seq: int) -> Snapshot:
        return snapshot_at(self.log[seq - 1])

    async def save(
        self, seq: int, rows: Sequence[MessageRow], by: RedisStore | None = None
    ) -> bool:
        return await (by or self.store).save(LOBBY, self.snapshot(seq), rows, NOW)


@asynccontextmanager
async def opened(
    server: Deployment,
    database: TestDatabase,
    *,
    messages: int | None = 3,
    prefix: str | None = None,
) -> AsyncGenerator[Room]:
    """Open a store of a prefix of its own."""
    prefix = prefix or f"r{token_hex(4)}"
    archive = SqlArchive(database.url, prefix=prefix)
    store = RedisStore(server.url, messages=messages, prefix=prefix, archive=archive)
    async with store.open():
        yield Room(store, prefix)


async def backwards(store: RedisStore, limit: int) -> list[MessageRow]:
    """Page from the newest message to the first one; the pages must fit together."""
    found: list[MessageRow] = []
    at = 2**53
    while True:
        page = await store.page(LOBBY, Before(at), limit)
        _check(page, limit)
        found[:0] = page.rows
        assert page.has_after == (at != 2**53)
        if not page.has_before:
            return found
        at = page.rows[0].seq


async def forwards(store: RedisStore, limit: int) -> list[MessageRow]:
    """Page from the first message to the newest one; the pages must fit together."""
    found: list[MessageRow] = []
    while True:
        at = found[-1].seq if found else 0
        page = await store.page(LOBBY, After(at), limit)
        _check(page, limit)
        found += page.rows
        assert page.has_before == (at != 0)
        if not page.has_after:
            return found


def _check(page: MessagePage, limit: int) -> None:
    assert page.complete
    assert 0 < len(page.rows) <= limit


def bodies(
    database: TestDatabase, prefix: str, table: str = "messages"
) -> list[tuple[object, ...]]:
    """What a table of the archive has, by seq."""
    return database.ask(f"SELECT seq, body FROM {prefix}_{table} ORDER BY seq")


def _client(server: Deployment) -> Any:
    return cast("Any", Redis).from_url(server.url)


def copied(server: Deployment, prefix: str) -> dict[bytes, bytes]:
    """Return all that the server keeps under a prefix."""
    with _client(server) as client:
        return {name: client.dump(name) for name in client.scan_iter(f"{prefix}:*")}


def put_back(server: Deployment, prefix: str, before: dict[bytes, bytes]) -> None:
    """Have the server keep that and nothing else, as one that has lost what came later."""
    with _client(server) as client:
        for name in client.scan_iter(f"{prefix}:*"):
            client.delete(name)
        for name, value in before.items():
            client.restore(name, 0, value)
