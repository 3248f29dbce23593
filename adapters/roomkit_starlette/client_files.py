"""The JavaScript client as pages load it: the modules of the installed package, over HTTP.

They are public and the same for everybody. A browser keeps them and asks each time whether they
changed (`no-cache`, RFC 9111, 5.2.2.4), so that page and server never differ after an upgrade.
Pages of any origin may import them; who may talk to the chat is the websocket's business.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["client_route"]


def client_route() -> Route:
    """Return the route of `/roomkit/client/roomkit.js` and the modules beside it."""
    modules = {
        item.name: item.read_bytes()
        for item in files("roomkit").joinpath("client", "javascript").iterdir()
        if item.name.endswith(".js")
    }
    tags = {name: f'"{hashlib.sha256(code).hexdigest()[:32]}"' for name, code in modules.items()}

    async def client_module(request: Request) -> Response:
        name = request.path_params["module"]
        if name not in modules:
            return Response(f"no such module: {sorted(modules)}", 404, media_type="text/plain")
        headers = {
            "ETag": tags[name],
            "Cache-Control": "no-cache",
            "Access-Control-Allow-Origin": "*",
            "X-Content-Type-Options": "nosniff",
        }
        if tags[name] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(modules[name], headers=headers, media_type="text/javascript")

    return Route("/roomkit/client/{module}", client_module, methods=["GET"], name="roomkit_client")
