"""A Starlette websocket as the transport a hub serves, and the endpoint that does so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypedDict

from starlette.websockets import WebSocket, WebSocketDisconnect

from roomkit import Handshake, Hub
from roomkit.runtime.backlog import Backlog
from roomkit.runtime.framing import frame_texts
from roomkit.runtime.transport import TransportClosed
from roomkit_starlette.server_socket import socket_behind, wait_until_gone

__all__ = ["PREPARED", "Prepared", "chat_endpoint"]

PREPARED = "roomkit.prepared"
"""The ASGI extension of `roomkit_starlette.prepared`."""


_FORGOTTEN = Handshake({})


class Prepared(TypedDict):
    """What stands under that name in `scope["extensions"]`.

    Attributes:
        write: hands framed messages to the server.
        backlog: whether all that was written has been taken.
        listen: has messages handed over as they come.
    """

    write: Callable[[bytes], object]
    backlog: Backlog
    listen: Callable[[Callable[[str | bytes], bool]], None]


def chat_endpoint(hub: Hub) -> Callable[[WebSocket], Awaitable[None]]:
    """Return the endpoint for `WebSocketRoute`, or for `add_api_websocket_route` of FastAPI.

    Pages of other origins are answered 403, see `Hub.accepts_origin`. The handshake that the hub's
    `authenticate` sees has the Starlette `WebSocket` as its `host`.
    """

    async def chat(websocket: WebSocket) -> None:
        if not hub.accepts_origin(dict(websocket.headers.items())):
            await websocket.close()
            return
        await websocket.accept()
        extensions: Mapping[str, Prepared] = websocket.scope.get("extensions") or {}
        if PREPARED in extensions:
            await hub.serve(PreparedTransport(websocket, extensions[PREPARED]))
        else:
            await hub.serve(StarletteTransport(websocket))

    return chat


class StarletteTransport:
    """One accepted websocket, under any ASGI server."""

    def __init__(self, websocket: WebSocket) -> None:
        self.handshake = Handshake(
            headers=dict(websocket.headers.items()),
            path=websocket.scope["path"],
            query=websocket.scope["query_string"].decode("latin-1"),
            client=websocket.client.host if websocket.client else "",
            host=websocket,
        )
        self._websocket = websocket
        self._socket = socket_behind(websocket.send)

    def identified(self) -> None:
        """Keep nothing of the handshake; Starlette's own is not ours to drop."""
        self.handshake = _FORGOTTEN

    async def receive(self) -> str | bytes:
        try:
            message = await self._websocket.receive()
        except RuntimeError as closed:  # Starlette's answer after the first one
            raise TransportClosed from closed
        if message["type"] == "websocket.disconnect":
            raise TransportClosed
        text: str | None = message.get("text")
        data: bytes | None = message.get("bytes")
        return text if text is not None else data or b""

    async def send(self, frames: Sequence[bytes]) -> None:
        try:
            for frame in frames:
                await self._websocket.send_text(frame.decode())
        except (RuntimeError, WebSocketDisconnect) as closed:
            raise TransportClosed from closed

    async def close(self, code: int, reason: str) -> None:
        try:
            await self._websocket.close(code, reason)
        except (RuntimeError, WebSocketDisconnect):
            return
        if self._socket is not None:
            await wait_until_gone(self._socket)

    def abort(self) -> None:
        if self._socket is not None:
            self._socket.abort()


class PreparedTransport(StarletteTransport):
    """One that can be written to and read from at once; see `PromptTransport`."""

    def __init__(self, websocket: WebSocket, prepared: Prepared) -> None:
        super().__init__(websocket)
        self.write = prepared["write"]
        self.listen = prepared["listen"]
        self._backlog = prepared["backlog"]
        self.watch = self._backlog.watch

    async def send(self, frames: Sequence[bytes]) -> None:
        await self._backlog.drained()
        self.write(frame_texts(frames))
        await self._backlog.drained()
