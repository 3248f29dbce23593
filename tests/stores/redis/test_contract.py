"""RedisStore keeps the contract of a store, on Valkey and on Redis."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from secrets import token_hex

import anyio
import pytest

from roomkit.limits import Limits
from roomkit.stores.redis import RedisStore
from roomkit.testing.store_suite import StoreFactory, StoreSuite
from tests.stores.redis.deployments import Deployment


class TestRedisStore(StoreSuite):
    histories = 25  # on each of eight deployments
    server: Deployment

    @pytest.fixture(autouse=True)
    def _find_server(self, server: Deployment) -> None:
        self.server = server

    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[StoreFactory]:
        prefix = token_hex(4)
        yield RedisStore(self.server.url, limits=self.limits, prefix=prefix).another

    async def advance(self, ms: int) -> None:
        until = self.server.time_ms() + ms
        while (left := until - self.server.time_ms()) >= 0:
            pause = (left + 1) / 1_000
            await anyio.sleep(pause)


@pytest.mark.parametrize("server", ["valkey-alone", "redis-alone"], indirect=True)
class TestRedisStoreWithDefaultLimits(TestRedisStore):
    limits = Limits()
