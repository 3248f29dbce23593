"""What the load says to a server, and by what it knows the answers: one `Dialect` for each kind.

Every message begins with `MARK` and its number. The mark is two times the same byte, so that one
cut in two by the end of a read is found by looking at one byte, and no length field looks like it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.frames import HEADERS_END, text_frame

__all__ = ["DIGITS", "HALF", "MARK", "ROOMKIT", "TEXT", "Dialect", "Step", "numbered"]

MARK = b"^^"
HALF = MARK[0]
DIGITS = 8
TEXT = "^^00000000 The quick brown fox jumps over the lazy dog. The quick brown fox jumps again."


class Step(NamedTuple):
    """Something sent, and what the answer to it holds."""

    sent: bytes
    answer: bytes


class Dialect(NamedTuple):
    """One way of talking to a server.

    Attributes:
        path: of the websocket.
        headers: more lines for the request that opens it, each with its line end.
        arrival: the steps of somebody of this name into this room, once the websocket is open.
        opened: what the answer to that request holds, or what the server says first after it.
        message: a frame that posts this text, in the name of somebody, to a room.
    """

    path: str
    arrival: Callable[[str, str], Sequence[Step]]
    message: Callable[[str, str, str], bytes]
    headers: str = ""
    opened: bytes = HEADERS_END

    def opening(self, port: int) -> Step:
        """Return the step that opens the websocket."""
        request = (
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Version: 13\r\n{self.headers}\r\n"
        )
        return Step(request.encode(), self.opened)


def numbered(frame: bytearray, at: int, number: int) -> None:
    """Write the number of a message into its frame; `at` is where its digits begin."""
    frame[at : at + DIGITS] = b"%08d" % number


def _join(name: str, room: str) -> Sequence[Step]:
    hello = text_frame("hello", protocol=2, username=name)
    return [Step(hello + text_frame("join_room", room=room, history=0), b'"room_joined"')]


def _say(name: str, room: str, text: str) -> bytes:
    return text_frame("send_message", room=room, message=text)


ROOMKIT = Dialect("/ws", _join, _say)
"""Protocol 2. The servers written by hand take the same frames."""
