"""The redis library knows asyncio alone; one server of each kind serves a whole file of tests."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.stores.redis.servers import SERVERS, TestServer, serving


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Generator[TestServer]:
    with serving(request.param) as running:
        yield running
