"""A websocket server of its own: whatever path is asked for, it is the chat.

`listen` and `serve` run the hub too, so that leaving happens in the right order: the hub sends
everybody away with 4000 while the sockets are still there, and only then are they closed.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from roomkit import Hub, Transport
from roomkit_websockets.asyncio_server import bind as bind_on_asyncio

__all__ = ["listen", "serve"]


async def serve(hub: Hub, host: str, port: int, *, deflate: bool = False) -> None:
    """Run the hub and serve it until cancelled.

    Args:
        hub: a hub that is not running; it is entered here.
        host: interface to listen on: "127.0.0.1" for this machine alone.
        port: TCP port.
        deflate: compress for clients that ask for it (permessage-deflate, RFC 7692). Costs some
            13 us of processor for each copy of each message and 27 KiB for each connection, and
            gives up what makes sending to a whole room fast: for slow links, not for fast servers.

    Raises:
        OSError: the address cannot be listened on.
        HubNotRunning: the hub runs already.
    """
    async with listen(hub, host, port, deflate=deflate):
        await anyio.sleep_forever()


@asynccontextmanager
async def listen(
    hub: Hub, host: str, port: int, *, deflate: bool = False
) -> AsyncGenerator[tuple[str, int]]:
    """Run the hub and serve it while the context lasts; yields the address listened on.

    Arguments and errors are those of `serve`; port 0 takes a free one. Leaving drains the hub,
    cancelled or not, and is bounded by four times `Limits.close_ms`.
    """
    running = anyio.Event()

    async def converse(transport: Transport) -> None:
        await running.wait()
        await hub.serve(transport)

    bind = bind_on_asyncio
    if _on_trio():
        from roomkit_websockets.trio_server import bind
    binding = bind(converse, hub.accepts_origin, hub.limits, host, port, deflate=deflate)
    async with binding as address, hub:
        running.set()
        yield address


def _on_trio() -> bool:
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_task())
