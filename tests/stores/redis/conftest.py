"""The redis library knows asyncio alone; each deployment serves many tests."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.stores.redis.deployments import DEPLOYMENTS, Deployment, deployed


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", params=DEPLOYMENTS)
def server(request: pytest.FixtureRequest) -> Generator[Deployment]:
    with deployed(request.param) as running:
        yield running
