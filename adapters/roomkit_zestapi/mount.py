"""Putting a hub into a `ZestAPI` instance: its websocket, its HTTP routes, its lifespan.

ZestAPI makes its Starlette application when `app` is first asked for, and anew at each
`create_app()`; routes registered later than that never reach it, and it takes no lifespan. So the
lifespan is added by whoever makes the application, and to one that is made already by hand.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Lifespan
from zestapi import ZestAPI

from roomkit import Hub
from roomkit_starlette import chat_endpoint, chat_routes

__all__ = ["mount_chat"]


class _Routes:
    """What `ZestAPI.include_router` takes."""

    def __init__(self, routes: list[BaseRoute]) -> None:
        self.routes = routes


def mount_chat(
    app: ZestAPI, hub: Hub, *, websocket_path: str = "/ws", http_prefix: str = ""
) -> None:
    """Serve a hub at `websocket_path`, and run it while the application runs.

    `/health`, `/rooms`, `/rooms/{room}/history` and `/roomkit/client/roomkit.js` are added below
    `http_prefix`; what they answer is said in `roomkit_starlette.routes`. A lifespan that the
    application has is kept: it begins after the hub runs and ends before the hub says goodbye. Set
    `router.lifespan_context` yourself before this is called, or call the one you replace.

    Call it once per hub, before the application serves.
    """
    routes: list[BaseRoute] = [
        WebSocketRoute(websocket_path, chat_endpoint(hub), name="chat"),
        *(
            Route(http_prefix + route.path, route.endpoint, methods=["GET"], name=route.name)
            for route in chat_routes(hub)
        ),
    ]
    app.include_router(_Routes(routes))
    made: Starlette | None = vars(app)["_app"]
    if made is not None:
        made.router.routes.extend(routes)
        _run_with(made, hub)
    make = app.create_app

    def make_with_chat() -> Starlette:
        return _run_with(make(), hub)

    vars(app)["create_app"] = make_with_chat


def _run_with(app: Starlette, hub: Hub) -> Starlette:
    before = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(scope_app: Starlette) -> AsyncGenerator[object]:
        async with hub.lifespan(scope_app), before(scope_app) as state:
            yield state

    app.router.lifespan_context = cast("Lifespan[Starlette]", lifespan)
    return app
