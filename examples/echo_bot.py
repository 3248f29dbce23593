"""A chat server with a bot in its lobby that says after everybody what they said.

    pip install "roomkit-chat[websockets]"
    python echo_bot.py

PORT moves it from 8000. The bot needs no socket: it watches a room of the hub, and posts to it.
"""

import contextlib
import os

import anyio

from roomkit import Hub, Posted, User, UserId
from roomkit_websockets import listen

ECHO = User(UserId("bot-echo"), "echo")


async def echo(hub: Hub, room: str) -> None:
    async with hub.events(room) as events:
        async for event in events:
            if isinstance(event, Posted) and event.message.user_id != ECHO.user_id:
                message = event.message
                await hub.post(room, f"{message.username} said: {message.text}", as_=ECHO)


async def main() -> None:
    hub = Hub()
    async with listen(hub, "127.0.0.1", int(os.environ.get("PORT", "8000"))):
        await echo(hub, "lobby")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        anyio.run(main)
