"""What a chat says over plain HTTP, GET alone: its health, its rooms, their history, its client.

| route | answer |
|---|---|
| `/health` | `{"status": "ok", "connections": 3, "rooms": 2}`; asks nobody who they are |
| `/rooms?after&limit` | `{"rooms": [{"name": "lobby"}], "next": null}`; `next` is an `after` |
| `/rooms/{room}/history?before&after&around&limit` | the `data` of a `message_history` frame |
| `/roomkit/client/roomkit.js` | the JavaScript client, and its modules beside it |

Whoever asks is identified as on the websocket, with the token of `Authorization: Bearer …`, and
sees what the policy lets them join. Errors are `{"error": {"code": "forbidden", "message": "…"}}`
with the protocol's codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from roomkit import Action, Handshake, Hub, Refused, User
from roomkit.errors import ErrorCode, HubNotRunning
from roomkit.wire import Codec
from roomkit_starlette.client_files import client_route

__all__ = ["chat_routes"]

_STATUS = {
    ErrorCode.BAD_ARGUMENT: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.HOOK_TIMEOUT: 503,
}


class _Frame(msgspec.Struct):
    data: msgspec.Raw


def chat_routes(hub: Hub) -> list[Route]:
    """Return the routes, to be put where you like: `Mount("/chat", routes=chat_routes(hub))`."""
    codec = Codec(hub.limits)

    async def health(request: Request) -> Response:
        if not hub.running:
            return _json({"status": "stopping"}, 503)
        stats = hub.stats
        names = ("connections", "rooms", "durability")
        return _json({"status": "ok"} | {name: getattr(stats, name) for name in names})

    async def rooms(request: Request, user: User) -> Response:
        most = hub.limits.history_page_max
        limit = _whole(request, "limit")
        limit = hub.limits.history_page if limit is None else limit
        if not 1 <= limit <= most:
            raise Refused(ErrorCode.BAD_ARGUMENT, f"limit must be from 1 to {most}, not {limit}")
        page = await hub.rooms(request.query_params.get("after"), limit)
        seen = [{"name": room} for room in page if hub.allows(user, room, Action.JOIN)]
        return _json({"rooms": seen, "next": page[-1] if len(page) == limit else None})

    async def history(request: Request, user: User) -> Response:
        room = request.path_params["room"]
        for action in (Action.JOIN, Action.HISTORY):
            if not hub.allows(user, room, action):
                raise Refused(ErrorCode.FORBIDDEN, f"you may not {action} in this room")
        seqs = {name: _whole(request, name) for name in ("before", "after", "around", "limit")}
        (frame,) = codec.encode(await hub.history(room, **seqs), 2)
        return _json(msgspec.json.decode(frame, type=_Frame).data)

    def behind_identity(
        answer: Callable[[Request, User], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def identified(request: Request) -> Response:
            try:
                return await answer(request, await _identify(hub, request))
            except Refused as refused:
                return _error(refused.code, refused.message)
            except HubNotRunning:
                return _error(ErrorCode.UNAVAILABLE, "the chat is stopping: come back later")

        return identified

    page = "/rooms/{room:path}/history"
    return [
        Route("/health", health, methods=["GET"], name="chat_health"),
        Route("/rooms", behind_identity(rooms), methods=["GET"], name="chat_rooms"),
        Route(page, behind_identity(history), methods=["GET"], name="chat_history"),
        client_route(),
    ]


async def _identify(hub: Hub, request: Request) -> User:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    handshake = Handshake(
        headers=dict(request.headers.items()),
        path=request.url.path,
        query=request.url.query,
        client=request.client.host if request.client else "",
        token=token.strip() or None if scheme.lower() == "bearer" else None,
        host=request,
    )
    try:
        user = await hub.identify(handshake)
    except TimeoutError:
        raise Refused(ErrorCode.HOOK_TIMEOUT, "finding out who you are took too long") from None
    if user is None:
        raise Refused(ErrorCode.UNAUTHENTICATED, "log in, and send Authorization: Bearer <token>")
    return user


def _whole(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(ErrorCode.BAD_ARGUMENT, f"{name} must be a whole number, not {text[:40]!r}")
    return int(text)


def _error(code: ErrorCode, message: str) -> Response:
    response = _json({"error": {"code": code, "message": message}}, _STATUS.get(code, 500))
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(content: object, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(content),
        status,
        {"Cache-Control": "no-store"},
        media_type="application/json",
    )
