"""A FastAPI application with a chat in it.

    pip install "roomkit-chat[starlette]" fastapi "uvicorn[standard]"
    python fastapi_chat.py

PORT moves it from 8000. The websocket is at /ws; /health, /rooms and /rooms/{room}/history answer
over HTTP.
"""

import os

from fastapi import FastAPI

from roomkit import Hub
from roomkit_starlette import chat_endpoint, chat_routes
from roomkit_starlette.uvicorn import ChatServer, chat_config

hub = Hub()
app = FastAPI(routes=[*chat_routes(hub)], lifespan=hub.lifespan)
app.add_api_websocket_route("/ws", chat_endpoint(hub))


@app.post("/announce/{room}")
async def announce(room: str, text: str) -> dict[str, int]:
    """Post to a room from anywhere in the application; nobody needs a socket for that."""
    posted = await hub.post(room, text)
    return {"seq": posted.seq}


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8000"))
    ChatServer(chat_config(app, hub.limits, host="127.0.0.1", port=port)).run()
