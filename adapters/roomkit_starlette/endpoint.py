"""A Starlette websocket as the transport a hub serves, and the endpoint that does so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect

from roomkit import Handshake, Hub
from roomkit.runtime.backlog import Backlog
from roomkit.runtime.framing import frame_texts
from roomkit.runtime.transport import TransportClosed
from roomkit_starlette.server_socket import socket_behind, wait_until_gone

__all__ = ["PREPARED", "chat_endpoint"]

PREPARED = "roomkit.prepared"
"""The ASGI extension of `roomkit_starlette.prepared`."""


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
        prepared = (websocket.scope.get("extensions") or {}).get(PREPARED)
        if prepared is None:
            await hub.serve(StarletteTransport(websocket))
        else:
            await hub.serve(PreparedTransport(websocket, **prepared))

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
    """One that can be written to at once; see `PromptTransport`.

    Args:
        write: hands framed messages to the server.
        backlog: whether it has taken what was written.
    """

    def __init__(
        self, websocket: WebSocket, write: Callable[[bytes], object], backlog: Backlog
    ) -> None:
        super().__init__(websocket)
        self.write = write
        self.watch = backlog.watch
        self._backlog = backlog

    async def send(self, frames: Sequence[bytes]) -> None:
        await self._backlog.drained()
        self.write(frame_texts(frames))
        await self._backlog.drained()
