"""Proof that an adapter carries a chat: one behaviour over real sockets, whatever the framework.

Subclass it, say how to serve a hub, and run it with pytest (the anyio plugin comes with anyio):

    class TestMyAdapter(TransportSuite):
        @asynccontextmanager
        async def serve(self, hub: Hub) -> AsyncGenerator[str]:
            async with my_server(hub) as port:
                yield f"ws://127.0.0.1:{port}/ws"

It needs the extra `testing`.
"""

from roomkit.testing.transport_suite.bad_input import BadInput
from roomkit.testing.transport_suite.endings import Endings
from roomkit.testing.transport_suite.harness import Chat, Harness
from roomkit.testing.transport_suite.protocol1 import Protocol1
from roomkit.testing.transport_suite.protocol2 import Protocol2
from roomkit.testing.transport_suite.returning import Returning

__all__ = ["Chat", "TransportSuite"]


class TransportSuite(Protocol1, Protocol2, Returning, BadInput, Endings, Harness):
    """Every test of an adapter. What `serve` must do is said at `Harness.serve`."""
