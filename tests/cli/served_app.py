"""What `roomkit serve` serves in the tests: a chat that says which process one is at."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from roomkit import Hub
from roomkit.settings import load_settings
from roomkit_starlette import chat_endpoint


def application() -> Starlette:
    settings = load_settings()
    hub = Hub(store=settings.store(), limits=settings.limits)

    async def where(request: Request) -> JSONResponse:
        return JSONResponse([os.getpid(), hub.stats.connections, hub.durability])

    return Starlette(
        routes=[Route("/where", where), WebSocketRoute("/ws", chat_endpoint(hub))],
        lifespan=hub.lifespan,
    )
