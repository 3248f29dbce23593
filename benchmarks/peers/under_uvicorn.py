"""Running an ASGI application under uvicorn at a free port, which is printed."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import ASGIApp

__all__ = ["listening", "run"]


def listening() -> socket.socket:
    """Listen at a free port, and print it."""
    # With the protocol named: asyncio switches Nagle's algorithm off only where it sees TCP.
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    one.bind(("127.0.0.1", 0))
    one.listen(4096)
    print(one.getsockname()[1], flush=True)
    return one


def run(app: ASGIApp) -> None:
    """Serve without compression and pings, as everybody here."""
    config = uvicorn.Config(
        app, log_level="critical", ws_per_message_deflate=False, ws_ping_interval=None,
        backlog=4096, timeout_graceful_shutdown=1,
    )  # fmt: skip
    uvicorn.Server(config).run([listening()])
