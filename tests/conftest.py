"""What every test here stands on: both event loops, and no reach beyond this machine.

Warnings are errors (pyproject.toml). An `async def` test runs once on asyncio and once on trio.
"""

import ipaddress
import os
import sys

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("roomkit.testing")

# Other examples each time, also where `CI` is set, from which Hypothesis would conclude otherwise.
# The blob it prints reproduces a failure with @reproduce_failure.
settings.register_profile(
    "roomkit", max_examples=50, deadline=None, print_blob=True, derandomize=False
)
settings.load_profile("roomkit")

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
