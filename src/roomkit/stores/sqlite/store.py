"""The store a hub calls: every call becomes work for the file's threads."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import get_args

from roomkit.core.effects import Append
from roomkit.core.storage import (
    Entry,
    Failed,
    Hint,
    LogSlice,
    MessagePage,
    MessageRow,
    Outcome,
    PageQuery,
    RoomRecord,
    Snapshot,
    Stored,
    Tip,
    Unknown,
)
from roomkit.errors import StoreError
from roomkit.ids import NodeId, RoomId
from roomkit.limits import Limits
from roomkit.stores.handles import Followers, StoreHandle
from roomkit.stores.sqlite import reading, saving
from roomkit.stores.sqlite.appending import Transaction
from roomkit.stores.sqlite.connections import Durability
from roomkit.stores.sqlite.database import Database
from roomkit.stores.sqlite.saving import Retention
from roomkit.stores.sqlite.troubles import NotWritten

__all__ = ["SqliteStore"]

_DEFAULT_LIMITS = Limits()


class _Shared:
    """What all handles on the same file have in common; the file is open while any of them is."""

    def __init__(self, path: str, durability: Durability, retention: Retention) -> None:
        self.path = path
        self.durability: Durability = durability
        self.retention = retention
        self.followers: Followers = {}
        self.open_handles = 0
        self.database: Database | None = None


class SqliteStore(StoreHandle):
    """Keeps rooms in one SQLite file, for one process.

    What is acknowledged outlives the process. With `sqlite-full` it also outlives a machine that
    loses power; with `sqlite-normal` that may take the newest messages, and clients are told of
    the gap. Everything a room's log must hold is kept as the contract says; archived messages are
    kept for ever unless told otherwise.

    Args:
        path: the file, made if it is not there; `-wal`, `-shm` and `.lock` are kept beside it.
        limits: the same as the hub's.
        messages: how many messages a room's archive keeps, the newest; None for all.
        messages_age_ms: how old an archived message may become; None for any age. With it, a room
            that nobody follows goes altogether once its last entry is older than this, than
            `limits.log_age_ms`, and than a day. Without it such a room goes only if it holds no
            message and no control fact.
        durability: when an append counts as stored: `sqlite-full`, when it is on the disk;
            `sqlite-normal`, when the operating system has it.
        clock: seconds since the Unix epoch, for leases, which outlive the process.

    Raises:
        ValueError: an argument is not one of these.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        limits: Limits = _DEFAULT_LIMITS,
        messages: int | None = None,
        messages_age_ms: int | None = None,
        durability: Durability = "sqlite-full",
        clock: Callable[[], float] = time.time,
    ) -> None:
        name = os.fspath(path)
        if not name or name.startswith((":memory:", "file:")):
            raise ValueError(f"path must name a file, not {name!r}: for memory use MemoryStore")
        for option, value in (("messages", messages), ("messages_age_ms", messages_age_ms)):
            if value is not None and value < 1:
                raise ValueError(f"{option} must be 1 or more, not {value}; None keeps everything")
        if durability not in get_args(Durability):
            raise ValueError(
                f"durability must be {' or '.join(get_args(Durability))}, not {durability!r}"
            )
        retention = Retention(limits=limits, messages=messages, messages_age_ms=messages_age_ms)
        self._shared = _Shared(os.path.realpath(name), durability, retention)
        self._clock = clock
        super().__init__(self._shared.followers)

    @property
    def durability(self) -> str:
        return self._shared.durability

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Open the file with the first handle, and close it with the last.

        Raises:
            StoreError: another process has the file; or it cannot be made, read or written, is
                damaged, or was written by a newer version: each says what to do.
        """
        shared = self._shared
        if shared.database is None:
            shared.database = Database(
                shared.path, shared.durability, shared.retention, shared.followers
            )
        database = shared.database
        shared.open_handles += 1
        try:
            await database.opened()
            yield
        finally:
            self._unfollow_all()
            shared.open_handles -= 1
            if not shared.open_handles:
                shared.database = None
                await database.close()

    def lane(self, room: RoomId) -> int:
        return 0

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        """As the contract says. All calls that wait together are one transaction.

        Raises:
            ValueError: an append has no facts; nothing of the call was stored.
        """
        for append in appends:
            if not append.facts:
                raise ValueError(f"an append to {append.room!r} has no facts: give it at least one")

        def work(transaction: Transaction) -> list[Outcome]:
            return [transaction.append(append, now) for append in appends]

        try:
            outcomes = await self._database.write(work)
        except NotWritten as error:
            failed = Failed(str(error)) if error.certain else Unknown(str(error))
            return [failed] * len(appends)
        for append, outcome in zip(appends, outcomes, strict=True):
            if self._others_follow(append.room) and isinstance(outcome, Stored):
                entries = tuple(item for item in outcome.items if isinstance(item, Entry))
                if entries:
                    self._tell(append.room, Hint(append.room, entries))
        return outcomes

    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        return await self._database.read(lambda file: reading.read(file, room, after, limit))

    async def load(self, room: RoomId) -> RoomRecord:
        limits = self._shared.retention.limits
        return await self._database.read(
            lambda file: reading.load(file, room, limits.history_window)
        )

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        retention = self._shared.retention
        return await self._database.write(
            lambda work: saving.save(work, room, snapshot, messages, now, retention)
        )

    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        size = self._shared.retention.limits.page_bytes
        return await self._database.read(lambda file: reading.page(file, room, query, limit, size))

    async def tips(self, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
        return await self._database.read(lambda file: reading.tips(file, rooms))

    async def rooms(self, after: RoomId | None, limit: int) -> Sequence[RoomId]:
        return await self._database.read(lambda file: reading.rooms(file, after, limit))

    async def renew(self, node: NodeId, ttl_ms: int) -> bool:
        """As the contract says; by the wall clock, so that a restart does not end it."""
        now = self._now()

        def work(transaction: Transaction) -> bool:
            transaction.begin()
            execute = transaction.connection.execute
            execute("DELETE FROM lease WHERE until <= ?", (now,))
            execute("INSERT OR REPLACE INTO lease VALUES (?, ?)", (node, now + ttl_ms))
            return True

        return await self._database.write(work)

    async def lapsed(self, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        now = self._now()
        return await self._database.read(lambda file: reading.lapsed(file, nodes, now))

    async def secret(self) -> bytes:
        return await self._database.opened()

    def _now(self) -> int:
        return int(self._clock() * 1000)

    @property
    def _database(self) -> Database:
        database = self._shared.database
        if database is None:
            raise StoreError(
                f"{self._shared.path} is not open: use the store inside `async with store.open()`"
            )
        return database
