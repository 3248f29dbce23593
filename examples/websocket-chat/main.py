"""A chat in the browser: a ZestAPI application with roomkit mounted on it.

    pip install -r requirements.txt
    python main.py

or, with several processes that are one chat:

    roomkit serve --factory main:application --workers 4

HOST and PORT say where it listens, every ROOMKIT_ setting how it behaves (`roomkit.settings`).
Rooms are kept in chat.db in the current folder, unless ROOMKIT_STORE says otherwise.
"""

import logging
import os
import socket
import sys
from pathlib import Path

import zestapi
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from roomkit import Hub, SettingsError
from roomkit.settings import Settings, load_settings
from roomkit_starlette.uvicorn import ChatServer, chat_config
from roomkit_zestapi import mount_chat

HERE = Path(__file__).resolve().parent
PAGE = HERE / "static" / "index.html"

# Only what comes from here may run, and no other page may frame it. Browsers ask each time whether
# a file has changed.
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self'; "
        "script-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Files(StaticFiles):
    """The scripts and styles of the page."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


class Server(ChatServer):
    """Says where it is once it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        host = "localhost" if self.config.host == "127.0.0.1" else self.config.host
        print(f"roomkit chat: http://{host}:{self.config.port} (Ctrl-C stops it)", flush=True)


async def page(request: Request) -> Response:
    return FileResponse(PAGE, headers=HEADERS)


def settings() -> Settings:
    """What an operator decided; ends the process if that makes no sense."""
    try:
        return load_settings({"ROOMKIT_STORE": "sqlite:chat.db", **os.environ})
    except SettingsError as error:
        sys.exit(f"roomkit: {error}")


def chat(settings: Settings) -> Hub:
    return Hub(
        store=settings.store(),
        limits=settings.limits,
        secret=settings.secret,
        origins=settings.origins,
        record=settings.record,
        record_mib=settings.record_mib,
    )


def build(hub: Hub) -> Starlette:
    # Left to itself ZestAPI logs every request and writes zestapi.log to the current folder. A page
    # of many small files would soon meet its rate limit, and nothing here is for other origins.
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("zestapi").setLevel(logging.ERROR)
    zest = zestapi.Settings(debug=True, rate_limit="", cors_origins=[])
    app = zestapi.ZestAPI(zest, routes_dir=str(HERE / "routes"))
    mount_chat(app, hub)
    site = app.app
    site.add_route("/", page)
    site.mount("/static", Files(directory=PAGE.parent))
    return site


def application() -> Starlette:
    """The whole, for `roomkit serve`."""
    return build(chat(settings()))


def main() -> None:
    decided = settings()
    hub = chat(decided)
    print(f"roomkit chat: rooms are kept in {decided.shown_store} (ROOMKIT_STORE)", flush=True)
    host, port = os.environ.get("HOST") or "127.0.0.1", zestapi.Settings().port  # it reads PORT
    Server(chat_config(build(hub), hub.limits, host=host, port=port)).run()


if __name__ == "__main__":
    main()
