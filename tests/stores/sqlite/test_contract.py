"""SqliteStore keeps the contract of a store, on both settings of durability."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from roomkit.limits import Limits
from roomkit.stores import SqliteStore
from roomkit.testing.store_suite import StoreFactory, StoreSuite


class TestSqliteStore(StoreSuite):
    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[StoreFactory]:
        self.seconds = 1_800_000_000.0
        with TemporaryDirectory() as folder:
            path = Path(folder, "chat.db")
            yield SqliteStore(path, limits=self.limits, clock=lambda: self.seconds).another

    async def advance(self, ms: int) -> None:
        self.seconds += ms / 1_000


class TestSqliteStoreWithDefaultLimits(TestSqliteStore):
    limits = Limits()
