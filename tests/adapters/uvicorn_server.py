"""uvicorn inside a test's own event loop, on a free port."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio
from starlette.types import ASGIApp

from roomkit import Limits
from roomkit_starlette.uvicorn import ChatServer, chat_config

__all__ = ["serving"]


class StoppableServer(ChatServer):
    """Stops when told to, not at the next look at a flag."""

    def __init__(self, app: ASGIApp, limits: Limits, options: Mapping[str, object]) -> None:
        config = chat_config(app, limits, host="127.0.0.1", port=0)
        for name, value in options.items():
            setattr(config, name, value)
        super().__init__(config)
        self.stop = anyio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stop.wait()


@asynccontextmanager
async def serving(
    app: ASGIApp, limits: Limits, **options: object
) -> AsyncGenerator[tuple[StoppableServer, int]]:
    """Run uvicorn with its lifespan and signal handling; yields it and its port.

    Args:
        options: of `uvicorn.Config`, instead of those `chat_config` chooses.
    """
    server = StoppableServer(app, limits, options)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [listener])
        try:
            yield server, listener.getsockname()[1]
        finally:
            server.stop.set()
