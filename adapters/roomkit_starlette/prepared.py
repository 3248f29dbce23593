"""uvicorn's websocket protocol with an ASGI extension for frames prepared for many connections.

ASGI's `send` costs each copy of each message an event, a coroutine and a framing of its own. Where
a server offers the extension `roomkit.prepared`, an endpoint may instead write whole websocket
frames, made once for everybody, straight to the connection, from `websocket.accept` until
`websocket.close`. Its value in `scope["extensions"]` is a dictionary:

* `write(framed: bytes)` hands over unmasked, uncompressed text messages (RFC 6455, 5.2) and never
  waits;
* `backlog` is a `roomkit.runtime.backlog.Backlog`: whether all that was written has been taken.

Middleware that wraps `send` does not see what is written so. Where the extension is missing, every
message goes through `send`.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from roomkit.runtime.backlog import Backlog
from roomkit_starlette.endpoint import PREPARED, Prepared

__all__ = ["PreparedProtocol"]

_AHEAD = 16
"""Messages that may wait for the application before nothing more is read. uvicorn itself stops
reading after each one, and so never has two that could be answered together."""


class PreparedProtocol(WebSocketsSansIOProtocol):
    """Offers `roomkit.prepared`: `uvicorn --ws roomkit_starlette.uvicorn:PreparedProtocol`.

    Not to a connection for which compression was agreed (`--ws-per-message-deflate true`, which is
    uvicorn's default): it takes the way through `send`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._backlog = Backlog()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(0)  # so that a pause means: something is kept back

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent and not self.conn.extensions:
            prepared = Prepared(write=self.transport.write, backlog=self._backlog)
            extensions = self.scope.setdefault("extensions", {})
            extensions[PREPARED] = cast("dict[object, object]", prepared)

    def send_receive_event_to_app(self) -> None:
        if self.queue.qsize() + 1 >= _AHEAD:
            super().send_receive_event_to_app()
            return
        paused, self.read_paused = self.read_paused, True  # or it would stop reading
        super().send_receive_event_to_app()
        self.read_paused = paused

    def pause_writing(self) -> None:
        super().pause_writing()
        self._backlog.change(False)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._backlog.change(True)

    # Nothing may be written once the closing handshake has begun

    def handle_close(self, event: Frame) -> None:
        self._backlog.end()
        super().handle_close(event)

    def handle_parser_exception(self) -> None:
        self._backlog.end()
        super().handle_parser_exception()

    def keepalive_timeout(self) -> None:
        self._backlog.end()
        super().keepalive_timeout()

    def shutdown(self) -> None:
        self._backlog.end()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._backlog.end()
        super().connection_lost(exc)
