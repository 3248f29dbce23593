"""uvicorn's websocket protocol with an ASGI extension for frames prepared for many connections.

ASGI's `send` costs each copy of each message an event, a coroutine and a framing of its own, and
its `receive` each message a turn of a queue and of a task. Where a server offers the extension
`roomkit.prepared`, an endpoint may instead write whole websocket frames, made once for everybody,
straight to the connection, from `websocket.accept` until `websocket.close`, and be called with what
comes. Its value in `scope["extensions"]` is a dictionary:

* `write(framed: bytes)` hands over unmasked, uncompressed text messages (RFC 6455, 5.2) and never
  waits;
* `backlog` is a `roomkit.runtime.backlog.Backlog`: whether all that was written has been taken;
* `listen(heard)` has each message that comes while none waits for `receive` handed to `heard`,
  which says whether it takes it; what it does not take, `receive` returns.

Middleware that wraps `send` or `receive` does not see what goes this way. Where the extension is
missing, every message goes through them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
        self._heard: Callable[[str | bytes], bool] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(0)  # so that a pause means: something is kept back

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent and not self.conn.extensions:
            prepared = Prepared(
                write=self.transport.write, backlog=self._backlog, listen=self._listen
            )
            extensions = self.scope.setdefault("extensions", {})
            extensions[PREPARED] = cast("dict[object, object]", prepared)

    def _listen(self, heard: Callable[[str | bytes], bool]) -> None:
        self._heard = heard

    def _hears(self, heard: Callable[[str | bytes], bool]) -> bool:
        """Hand over a whole message that comes after all others; return whether it was taken."""
        if self.close_sent or not self.queue.empty():
            return False
        data = b"".join(self.frames)
        if self.curr_msg_data_type != "text":
            return heard(data)
        try:
            return heard(data.decode())
        except UnicodeDecodeError:
            return False  # uvicorn says so to the peer, and closes

    def send_receive_event_to_app(self) -> None:
        if self._heard is not None and self._hears(self._heard):
            self.frames = []
            return
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
