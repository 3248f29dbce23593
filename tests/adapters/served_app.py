"""The smallest application with a chat, for servers that are processes of their own."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from roomkit import Hub, Limits
from roomkit_starlette import chat_endpoint
from roomkit_starlette.endpoint import PREPARED

MUCH = 10_000
hub = Hub(
    limits=Limits(messages_per_s=MUCH, messages_burst=MUCH, frames_per_s=MUCH, frames_burst=MUCH)
)
offered: list[bool] = []
"""For each websocket, whether the server offered the extension."""


class App:
    """Starlette's application, noting what is offered, and running the hub for Daphne."""

    def __init__(self) -> None:
        routes = [WebSocketRoute("/ws", chat_endpoint(hub)), Route("/offered", seen)]
        self._app = Starlette(routes=routes, lifespan=hub.lifespan)
        self._running: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._ready.set()
        elif scope["type"] == "websocket":
            offered.append(PREPARED in (scope.get("extensions") or {}))
            await self._have_the_hub()
        await self._app(scope, receive, send)

    async def _have_the_hub(self) -> None:
        """Daphne has no lifespan: there the first websocket starts the hub."""
        if not self._ready.is_set() and self._running is None:
            self._running = asyncio.create_task(self._run())
        await self._ready.wait()

    async def _run(self) -> None:
        async with hub:
            self._ready.set()
            await asyncio.get_running_loop().create_future()


async def seen(request: Request) -> JSONResponse:
    """Say what was offered."""
    return JSONResponse(offered)


app = App()
