"""Running an ASGI application under uvicorn at a free port, which is printed."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

from benchmarks.peers.listening import BACKLOG, listening

__all__ = ["run"]


def run(app: ASGIApp) -> None:
    """Serve without compression and pings, as everybody here."""
    config = uvicorn.Config(
        app, log_level="critical", ws_per_message_deflate=False, ws_ping_interval=None,
        backlog=BACKLOG,
    )  # fmt: skip
    uvicorn.Server(config).run([listening()])
