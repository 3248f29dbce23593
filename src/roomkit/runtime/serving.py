"""A connection from accept to release, and everybody's at once when the hub is left."""

from __future__ import annotations

import anyio

from roomkit.core.inputs import Drain
from roomkit.runtime.node import Node
from roomkit.runtime.reader import Reader
from roomkit.runtime.transport import Transport

__all__ = ["drain", "serve"]


async def serve(node: Node, transport: Transport) -> None:
    """Serve one connection until it is closed, by whichever side, and nothing is held for it.

    Cancelling it aborts the transport; the engine is told in any case, and what the peer asked for
    before goes on.
    """
    connection = node.admit(transport)
    done = False
    try:
        await connection.run(Reader(node, connection).run)
        node.report_closed(connection)
        await connection.say_farewell()
        done = True
    finally:
        if not done:
            transport.abort()
        node.dismiss(connection)


async def drain(node: Node) -> None:
    """Send everybody away with advice to come back, and wait for them and for the store.

    Takes at most three times `Limits.close_ms`: for the peers to go, for those aborted then to be
    released, and for the store to answer what it was asked.
    """
    seconds = node.limits.close_ms / 1000
    node.step(Drain("the server is stopping"))
    with anyio.move_on_after(seconds):
        await node.emptied()
    for connection in node.deliveries:
        connection.lose()
        connection.transport.abort()
    with anyio.move_on_after(seconds):
        await node.emptied()
    with anyio.move_on_after(seconds):
        await node.calls.settled()
