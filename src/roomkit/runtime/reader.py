"""One connection's way in: the handshake, then one input for each frame.

The first frame decides. A `hello` begins protocol 2, any other command protocol 1; either way it is
found out who is there before the engine hears of it, and nothing more is read meanwhile. A first
frame that is no frame changes nothing: the next one is again a first one.
"""

from __future__ import annotations

import anyio.lowlevel
import msgspec

from roomkit.core.commands import Command, Hello
from roomkit.core.events import Failure, User
from roomkit.core.inputs import Garbled, Opened, Received
from roomkit.core.names import check_username
from roomkit.errors import CloseCode, ErrorCode, Refused
from roomkit.runtime.connection import Connection
from roomkit.runtime.node import Node
from roomkit.runtime.transport import TransportClosed
from roomkit.wire import WireError

__all__ = ["Reader"]

_MESSAGE_TOO_BIG = 1009  # RFC 6455, 7.4.1
_FRAMES_IN_A_ROW = 16  # handled before others get a turn, if the transport never waits


class Reader:
    """Reads a connection until it ends.

    Once it is known who is there, a transport that can hands most frames over as they come; they
    are handled when the tick ends, with everybody's.
    """

    __slots__ = ("_connection", "_in_a_row", "_node", "_protocol", "_tick")

    def __init__(self, node: Node, connection: Connection) -> None:
        self._node = node
        self._connection = connection
        self._protocol = 0
        self._tick = 0
        self._in_a_row = 0

    async def run(self) -> None:
        """Handle frames until the connection is ending.

        Raises:
            TransportClosed: the peer is gone.
        """
        connection = self._connection
        try:
            while not connection.ending:
                frame = await connection.transport.receive()
                self._node.take_in()  # what was heard came before
                if self._protocol:
                    self._handle(frame)
                elif not connection.ending:
                    first = self._decode(frame)
                    if first is not None:
                        await self._greet(first)
                if not self._may_go_on():
                    self._in_a_row = 0
                    await anyio.lowlevel.checkpoint()
        except TransportClosed:
            self._node.take_in()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends this connection only
            self._fail(error)

    def _hear(self, frame: str | bytes) -> bool:
        """Take a frame that has just come, if it is not too many in one tick."""
        if not self._may_go_on():
            return False
        self._node.hear(self._handle, frame)
        return True

    def _handle(self, frame: str | bytes) -> None:
        """Have the engine judge a frame of somebody known. Raises nothing."""
        connection = self._connection
        if connection.ending:
            return
        try:
            command = self._decode(frame)
            if command is not None and not isinstance(command, Hello):
                self._node.step(Received(connection.id, command, more=True))
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends this connection only
            self._fail(error)

    def _decode(self, frame: str | bytes) -> Hello | Command | None:
        """Return what a frame says; None if that is nothing, which its sender is told."""
        node, connection = self._node, self._connection
        node.counters.received += 1
        if _is_longer(frame, node.limits.frame_close_bytes):
            connection.end(
                _MESSAGE_TOO_BIG, f"frames have at most {node.limits.frame_close_bytes} bytes"
            )
            return None
        try:
            return node.deliveries.codec.decode(frame, self._protocol)
        except WireError as error:
            node.step(Garbled(connection.id, error.code, error.message, error.ref, error.room))
            return None

    def _fail(self, error: Exception) -> None:
        self._node.complaints.bug("reader", "a connection's reader failed", error)
        self._connection.end(CloseCode.INTERNAL, "internal error")

    async def _greet(self, first: Hello | Command) -> None:
        """Handle the first frame that makes sense."""
        node, connection = self._node, self._connection
        hello = first if isinstance(first, Hello) else None
        protocol = 1 if hello is None else 2
        if hello is not None and hello.protocol != 2:
            self._refuse(
                ErrorCode.BAD_ARGUMENT,
                f"hello asks for protocol {hello.protocol}: ask for 2, or send no hello at all",
                CloseCode.BAD_PROTOCOL,
            )
            return
        try:
            user = await self._identify(hello)
        except Refused as refused:
            node.step(Garbled(connection.id, refused.code, refused.message))
            return
        if user is None or connection.ending:
            return
        self._protocol = protocol
        forget = getattr(connection.transport, "identified", None)
        if forget is not None:
            forget()
        session = node.identities.session(hello.session if hello else None, user)
        node.open(Opened(connection.id, protocol, user, session))
        if not isinstance(first, Hello):
            node.step(Received(connection.id, first, more=True))
        listen = getattr(connection.transport, "listen", None)
        if listen is not None:
            listen(self._hear)

    async def _identify(self, hello: Hello | None) -> User | None:
        """Return who is there; None if the connection has been refused.

        Raises:
            Refused: a guest wishes for a name nobody may have.
        """
        node, handshake = self._node, self._connection.transport.handshake
        username = ""
        if hello is not None:
            handshake = msgspec.structs.replace(handshake, token=hello.token)
            if hello.username is not None and node.identities.guests:
                username = check_username(hello.username, node.limits)
        try:
            user = await node.identities.identify(handshake, username)
        except TimeoutError:
            self._refuse(
                ErrorCode.HOOK_TIMEOUT,
                "finding out who you are took too long: come back later",
                CloseCode.INTERNAL,
            )
        except Exception as error:  # noqa: BLE001 - a hook is the host's, and may raise anything
            node.complaints.warn("authenticate", "the authentication hook failed", error)
            self._refuse(
                ErrorCode.INTERNAL,
                "finding out who you are failed: come back later",
                CloseCode.INTERNAL,
            )
        else:
            if user is None:
                self._refuse(
                    ErrorCode.UNAUTHENTICATED,
                    "nobody is known by these credentials: log in and connect again",
                    CloseCode.UNAUTHENTICATED,
                )
            return user
        return None

    def _refuse(self, code: ErrorCode, message: str, close: CloseCode) -> None:
        self._node.tell(self._connection.id, Failure(code, message))
        self._connection.end(close, close.name.lower())

    def _may_go_on(self) -> bool:
        """Count a frame; False if others are to get a turn before more of this transport."""
        if self._node.ticks != self._tick:
            self._tick = self._node.ticks
            self._in_a_row = 0
        self._in_a_row += 1
        return self._in_a_row < _FRAMES_IN_A_ROW


def _is_longer(frame: str | bytes, limit: int) -> bool:
    """Say whether a frame has more bytes than that, in UTF-8."""
    if isinstance(frame, bytes) or len(frame) > limit:
        return len(frame) > limit
    return 4 * len(frame) > limit and len(frame.encode("utf-8", "surrogatepass")) > limit
