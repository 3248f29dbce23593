"""A chat server without a web framework, on asyncio or, with `--trio`, on trio.

    pip install "roomkit-chat[websockets]" trio
    python raw_websockets.py --trio

PORT moves it from 8000. Any path is the chat. Asked to stop, it says goodbye to everybody first.
"""

import os
import signal
import sys

import anyio

from roomkit import Hub
from roomkit_websockets import listen


async def main() -> None:
    port = int(os.environ.get("PORT", "8000"))
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with listen(Hub(), "127.0.0.1", port) as (host, port):
            print(f"the chat is at ws://{host}:{port}", flush=True)
            async for _ in signals:
                break


if __name__ == "__main__":
    anyio.run(main, backend="trio" if "--trio" in sys.argv else "asyncio")
