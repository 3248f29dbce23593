"""A bot on the other side of the network: it says after everybody in the lobby what they said.

    pip install "roomkit-chat[client]"
    python network_bot.py ws://localhost:8000/ws

It comes back by itself when the server was away, and then answers what it has missed. `echo_bot.py`
is the same bot inside the server's process.
"""

import contextlib
import sys

import anyio

from roomkit.client import connect


async def echo(url: str) -> None:
    async with connect(url, username="echo") as chat:
        room = chat.room("lobby")
        print("echo is on its way to", url, flush=True)
        async for event in room:
            if event.type == "new_message" and event.data.get("username") != "echo":
                await room.send(f"{event.data['username']} said: {event.data['message']}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        anyio.run(echo, sys.argv[1])
