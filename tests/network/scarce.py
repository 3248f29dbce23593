"""A server in a process of its own: `python -m tests.network.scarce KIND PORT FILE`.

KIND is `uvicorn`, `asyncio` or `trio`; the last two serve by the websockets library.
"""

from __future__ import annotations

import sys

import anyio

from roomkit import Hub, SqliteStore
from roomkit_websockets import listen
from tests.crash import server
from tests.crash.server import LIMITS


async def serve(*arguments: str) -> None:
    """Serve until killed."""
    port, file = arguments
    hub = Hub(store=SqliteStore(file, limits=LIMITS), limits=LIMITS)
    async with listen(hub, "127.0.0.1", int(port)):
        await anyio.sleep_forever()


if __name__ == "__main__":
    kind = sys.argv.pop(1)
    if kind == "uvicorn":
        server.main()
    else:
        anyio.run(serve, *sys.argv[1:], backend=kind)
