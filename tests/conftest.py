"""What every test here stands on: both event loops, and no reach beyond this machine.

Warnings are errors (pyproject.toml). An `async def` test runs once on asyncio and once on trio.
"""

import ipaddress
import os
import sys

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("roomkit.testing")

# CI looks harder; both print the blob that reproduces a failure with @reproduce_failure.
settings.register_profile("dev", max_examples=50, deadline=None, print_blob=True)
settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# The shell's own settings must not decide what the tests see.
for name in [name for name in os.environ if name in ("HOST", "PORT") or name[:8] == "ROOMKIT_"]:
    if name not in ("ROOMKIT_REQUIRE_BROWSER", "ROOMKIT_CHROMIUM"):
        del os.environ[name]


def refuse_distant_hosts(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: a socket opened by a test goes to this machine or nowhere."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if not isinstance(address, tuple):  # a Unix socket, or netlink
        return
    host = str(address[0])
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise RuntimeError(f"a test tried to connect to {host}; tests stay on this machine")


sys.addaudithook(refuse_distant_hosts)


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop an `async def` test runs on."""
    backend: str = request.param
    return backend
