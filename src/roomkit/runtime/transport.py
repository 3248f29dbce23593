"""What a framework's websocket must offer for the hub to serve it: all an adapter has to be.

An adapter turns its framework's socket into a `Transport`, calls `Hub.serve(transport)` and is done
when that returns. The websocket handshake has been accepted before. Control frames (ping, pong,
close) are the adapter's and its library's business: every adapter pings each
`Limits.websocket_ping_ms` and drops a peer that has not answered within the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import msgspec

__all__ = ["Handshake", "PromptTransport", "Transport", "TransportClosed"]


class TransportClosed(Exception):
    """The websocket is closed, by whichever side; nothing more can be read or sent."""


class Handshake(msgspec.Struct, frozen=True):
    """What is known of a connection before its user is.

    Attributes:
        headers: request headers, lower-case names; of a repeated one the last value.
        path: path of the request, without the query.
        query: raw query string, "" if there is none.
        client: address of the peer as the server saw it, "" if unknown.
        token: `hello.token`, or None for protocol 1 or a hello without one.
        host: what the framework knows of the caller (a Starlette `WebSocket`, say), for
            `authenticate`.
    """

    headers: dict[str, str]
    path: str = "/"
    query: str = ""
    client: str = ""
    token: str | None = None
    host: object = None


class Transport(Protocol):
    """One accepted websocket.

    It may also have a method `identified()`, which is called, without arguments, once it is known
    who the peer is: nobody asks for the handshake any more, and what is kept of it may go.
    """

    @property
    def handshake(self) -> Handshake:
        """The request that opened it."""
        ...

    async def receive(self) -> str | bytes:
        """Return the next message: `str` for text, `bytes` for binary.

        Raises:
            TransportClosed: there will be no further message.
        """
        ...

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send each of these as one text message, in order, waiting while the peer does not read.

        Called by one task at a time. If it is cancelled, the connection is closed or aborted next.

        Args:
            frames: UTF-8 encoded messages.

        Raises:
            TransportClosed: the connection is gone.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close with this code (4000-4999, or 1009); harmless if closed already.

        May wait for the peer; the hub bounds that by `Limits.close_ms` and then calls `abort`.
        """
        ...

    def abort(self) -> None:
        """Drop the connection and every byte held for it, at once and without waiting."""
        ...


@runtime_checkable
class PromptTransport(Transport, Protocol):
    """A transport that can also be written to at once, while its peer keeps up, and read from.

    It spares a task switch for each copy of each message, which is most of what a copy costs, and
    for each message that comes.
    """

    def listen(self, heard: Callable[[str | bytes], bool]) -> None:
        """Hand over each further message as it comes, instead of keeping it for `receive`.

        Only while no other waits for `receive`, and whole: what came in fragments may go that way.

        Args:
            heard: takes a message, as `receive` returns it, and does not wait. If it returns False
                it has not taken it, and `receive` is to return it.
        """
        ...

    def write(self, framed: bytes, /) -> object:
        """Hand over text messages framed (RFC 6455, 5.2): unmasked, whole, uncompressed.

        Does not wait. Called only while all that was written before has been taken (see `watch`),
        never while a `send` is on its way, and never after `close` or `abort`.

        Args:
            framed: at most `PROMPT_BYTES` and their headers.
        """
        ...

    def watch(self, changed: Callable[[bool], None]) -> bool:
        """Return whether the system has taken all that was written, and say when that changes.

        Args:
            changed: called with False when something must be kept back, or the websocket begins to
                close; with True when all of it has been taken and it is still open.
        """
        ...
