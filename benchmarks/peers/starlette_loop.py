"""The chat people write with Starlette: one endpoint, and `send_text` to each in a loop."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.peers.chat import Chat
from benchmarks.peers.under_uvicorn import run

__all__ = ["app"]

chat = Chat[WebSocket]()


async def talk(socket: WebSocket) -> None:
    """Serve one websocket."""
    await socket.accept()
    try:
        while True:
            said = chat.hear(socket, await socket.receive_text())
            for answer in said.answers:
                await socket.send_text(answer)
            for other in list(said.others):
                await other.send_text(said.event)
    except (WebSocketDisconnect, RuntimeError):
        chat.gone(socket)


app = Starlette(routes=[WebSocketRoute("/ws", talk)])

if __name__ == "__main__":
    run(app)
