"""A RedisStore with an archive keeps the contract, also where most of a page is in the archive."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from secrets import token_hex

import anyio
import pytest

from roomkit.stores.archive import SqlArchive
from roomkit.stores.redis import RedisStore
from roomkit.testing.store_suite import StoreFactory, StoreSuite
from tests.stores.archive.servers import TestDatabase
from tests.stores.redis.deployments import Deployment


@pytest.mark.parametrize("server", ["valkey-alone"], indirect=True)
class TestRedisStoreWithArchive(StoreSuite):
    messages = 2
    server: Deployment
    database: TestDatabase

    @pytest.fixture(autouse=True)
    def _find_servers(self, server: Deployment, postgres: TestDatabase) -> None:
        self.server = server
        self.database = postgres

    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[StoreFactory]:
        prefix = f"r{token_hex(4)}"
        yield RedisStore(
            self.server.url,
            limits=self.limits,
            messages=self.messages,
            prefix=prefix,
            archive=SqlArchive(self.database.url, prefix=prefix),
        ).another

    async def advance(self, ms: int) -> None:
        until = self.server.time_ms() + ms
        while (left := until - self.server.time_ms()) >= 0:
            pause = (left + 1) / 1_000
            await anyio.sleep(pause)
