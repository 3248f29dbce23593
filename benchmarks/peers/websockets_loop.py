"""The chat people write with `websockets`: one handler, and `broadcast()` to a room."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.peers.chat import Chat

__all__ = ["main"]


async def main() -> None:
    """Serve until the process is ended."""
    chat = Chat[ServerConnection]()

    async def talk(socket: ServerConnection) -> None:
        try:
            async for frame in socket:
                said = chat.hear(socket, frame)
                for answer in said.answers:
                    await socket.send(answer)
                if said.others:
                    broadcast(said.others, said.event)
        finally:
            chat.gone(socket)

    async with serve(
        talk, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=4096
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
