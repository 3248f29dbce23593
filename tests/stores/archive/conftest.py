"""The libraries know asyncio alone; one PostgreSQL and one Valkey serve many tests."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.stores.archive.servers import TestDatabase, database
from tests.stores.redis.deployments import Deployment, deployed


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Generator[TestDatabase]:
    with database() as running:
        yield running


@pytest.fixture(scope="session", params=["valkey-alone", "redis-alone"])
def server(request: pytest.FixtureRequest) -> Generator[Deployment]:
    with deployed(request.param) as running:
        yield running
