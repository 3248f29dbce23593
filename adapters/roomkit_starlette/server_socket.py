"""Finding the socket behind an ASGI server's `send`, because ASGI itself cannot drop a connection.

A server asked to close waits until everything written has been read: a peer that never reads makes
it hold the rest for ever. uvicorn's `send` is a method of the object that owns the socket, and
middleware wraps it in closures, so the socket can be reached; what it is asked then is asyncio's
documented interface. Under a server where none is found the rest is the server's to give up.
"""

from __future__ import annotations

import functools
import types
from typing import Protocol, runtime_checkable

import anyio

__all__ = ["ServerSocket", "socket_behind", "wait_until_gone"]

_LOOKED_AT = 100
_POLL_S = 0.02


@runtime_checkable
class ServerSocket(Protocol):
    """What is needed of an `asyncio.Transport`; uvloop's are no subclass of it."""

    def abort(self) -> None: ...
    def is_closing(self) -> bool: ...
    def get_write_buffer_size(self) -> int: ...


def socket_behind(send: object) -> ServerSocket | None:
    """Return the socket of the server that made `send`, or None if it does not show it."""
    waiting = [send]
    seen: dict[int, object] = {}
    while waiting and len(seen) < _LOOKED_AT:
        item = waiting.pop(0)
        if id(item) in seen:
            continue
        seen[id(item)] = item
        if isinstance(item, functools.partial):
            waiting += [item.func, *item.args, *item.keywords.values()]
        elif isinstance(item, types.FunctionType):
            waiting += [cell.cell_contents for cell in item.__closure__ or ()]
        elif isinstance(item, types.MethodType):
            transport = getattr(item.__self__, "transport", None)
            if isinstance(transport, ServerSocket):
                return transport
            waiting += getattr(item.__self__, "__dict__", {}).values()
    return None


async def wait_until_gone(socket: ServerSocket) -> None:
    """Return when the server is done with the socket and nothing is left to write.

    Polls, since a server says nothing of it once the application has sent `websocket.close`.
    """
    while not (socket.is_closing() and _waiting_bytes(socket) == 0):  # noqa: ASYNC110 - see above
        await anyio.sleep(_POLL_S)


def _waiting_bytes(socket: ServerSocket) -> int:
    try:
        return socket.get_write_buffer_size()
    except RuntimeError:  # uvloop's answer when it is closed
        return 0
