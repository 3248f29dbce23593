"""The kernel's price: one `send` for each copy, or one for all copies of a tick, and nothing else.

`python -m benchmarks.peers.bare one` writes every copy by itself, `tick` joins what one look at the
sockets brought. Nothing is parsed but the lengths of frames, nothing is checked, nobody leaves. The
system's part of its processor time is what the kernel takes for the same sockets and bytes; the
program's part is Python's and no limit for anybody.
"""

from __future__ import annotations

import os
import re
import select
import socket
import sys

from benchmarks.frames import UPGRADED
from benchmarks.peers.chat import PADDING
from benchmarks.peers.listening import listening

__all__ = ["Bare"]

_READ = 64 * 1024
_HEADER = 8
"""Of a client's frame of 126 bytes and more: two bytes, two of length, four of mask."""

_ROOM = re.compile(rb'"room": ?"([^"]*)"')
_JOINED = b'{"type":"room_joined","data":{}}'


class Bare:
    """All sockets, and who is in which room.

    Args:
        each_tick: write what a tick has for a room at once.
    """

    def __init__(self, *, each_tick: bool) -> None:
        self._each_tick = each_tick
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._rooms: dict[bytes, list[int]] = {}
        self._room_of: dict[int, bytes] = {}
        self._rest: dict[int, bytes] = {}
        self._waiting: dict[bytes, list[bytes]] = {}

    def serve(self) -> None:
        """Serve for ever."""
        door = listening()
        door.setblocking(False)
        self._epoll.register(door, select.EPOLLIN)
        while True:
            for descriptor, _ in self._epoll.poll():
                if descriptor == door.fileno():
                    self._accept(door)
                else:
                    self._read(descriptor)
            for room, copies in self._waiting.items():
                _write(self._rooms[room], [b"".join(copies)])
            self._waiting.clear()

    def _accept(self, door: socket.socket) -> None:
        one, _ = door.accept()
        one.setblocking(False)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[one.fileno()] = one
        self._epoll.register(one, select.EPOLLIN)

    def _read(self, descriptor: int) -> None:
        data = os.read(descriptor, _READ)
        if not data:
            self._sockets.pop(descriptor).close()
        elif data.startswith(b"GET "):
            os.write(descriptor, UPGRADED + b"Switching Protocols\r\n\r\n")
        elif b'"join_room"' in data:
            self._join(descriptor, data)
        else:
            copies, self._rest[descriptor] = _copies(self._rest.get(descriptor, b"") + data)
            room = self._room_of[descriptor]
            if self._each_tick:
                self._waiting.setdefault(room, []).extend(copies)
            else:
                _write(self._rooms[room], copies)

    def _join(self, descriptor: int, data: bytes) -> None:
        found = _ROOM.search(data)
        assert found is not None
        self._room_of[descriptor] = found[1]
        self._rooms.setdefault(found[1], []).append(descriptor)
        os.write(descriptor, bytes([0x81, len(_JOINED)]) + _JOINED)


def _copies(data: bytes) -> tuple[list[bytes], bytes]:
    """Return what each message becomes, and what is not a whole frame yet."""
    copies: list[bytes] = []
    while len(data) > _HEADER:
        size = int.from_bytes(data[2:4], "big")
        if len(data) < _HEADER + size:
            break
        payload = data[_HEADER : _HEADER + size] + PADDING
        copies.append(b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload)
        data = data[_HEADER + size :]
    return copies, data


def _write(members: list[int], copies: list[bytes]) -> None:
    write = os.write
    for copy in copies:
        for member in members:
            if write(member, copy) < len(copy):
                raise BufferError("a reader fell behind; here nobody may")


if __name__ == "__main__":
    Bare(each_tick=sys.argv[1] == "tick").serve()
