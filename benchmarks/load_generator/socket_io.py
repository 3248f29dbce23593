"""Socket.IO on Engine.IO 4, over a websocket from the start, as its documents describe it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from benchmarks.frames import TEXT, client_frame
from benchmarks.load_generator.dialect import Dialect, Step

__all__ = ["SOCKET_IO"]

_CONNECT = client_frame(TEXT, b"40")


def _event(name: str, **data: object) -> bytes:
    return client_frame(TEXT, b"42" + json.dumps([name, data]).encode())


def _join(name: str, room: str) -> Sequence[Step]:
    return [Step(_CONNECT, b"40{"), Step(_event("join", room=room, username=name), b'"joined"')]


def _say(name: str, room: str, text: str) -> bytes:
    return _event("message", room=room, message=text)


SOCKET_IO = Dialect("/socket.io/?EIO=4&transport=websocket", _join, _say, opened=b'"sid"')
"""The server speaks first, once the websocket is open."""
