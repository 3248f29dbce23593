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
from benchmarks.peers.chat import padding

__all__ = ["serve"]

_READ = 64 * 1024
_HEADER = 8
"""Of a client's frame of 126 bytes and more: two bytes, two of length, four of mask."""

_ROOM = re.compile(rb'"room": ?"([^"]*)"')
_ANSWER = b'{"type":"room_joined","data":{}}'


def serve(each_tick: bool) -> None:
    """Serve for ever."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(4096)
    listening.setblocking(False)
    print(listening.getsockname()[1], flush=True)
    epoll = select.epoll()
    epoll.register(listening, select.EPOLLIN)
    room_of: dict[int, list[int]] = {}
    rooms: dict[bytes, list[int]] = {}
    kept: dict[int, socket.socket] = {}
    rest: dict[int, bytes] = {}
    while True:
        waiting: dict[int, list[bytes]] = {}
        for descriptor, _ in epoll.poll():
            if descriptor == listening.fileno():
                one, _ = listening.accept()
                one.setblocking(False)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                kept[one.fileno()] = one
                epoll.register(one, select.EPOLLIN)
                continue
            data = os.read(descriptor, _READ)
            if not data:
                kept.pop(descriptor).close()
                continue
            if data.startswith(b"GET "):
                os.write(descriptor, UPGRADED + b"Switching Protocols\r\n\r\n")
                continue
            if b'"join_room"' in data:
                found = _ROOM.search(data)
                assert found is not None
                room_of[descriptor] = rooms.setdefault(found[1], [])
                room_of[descriptor].append(descriptor)
                os.write(descriptor, bytes([0x81, len(_ANSWER)]) + _ANSWER)
                continue
            copies, rest[descriptor] = _copies(rest.get(descriptor, b"") + data)
            members = room_of[descriptor]
            if each_tick:
                waiting.setdefault(id(members), []).extend(copies)
            else:
                _write(members, copies)
        if waiting:
            for members in rooms.values():
                if id(members) in waiting:
                    _write(members, [b"".join(waiting[id(members)])])


def _copies(data: bytes) -> tuple[list[bytes], bytes]:
    """Return what each message becomes, and what is not a whole frame yet."""
    copies: list[bytes] = []
    while len(data) > _HEADER:
        size = int.from_bytes(data[2:4], "big")
        if len(data) < _HEADER + size:
            break
        payload = data[_HEADER : _HEADER + size] + padding(size)
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
    serve(sys.argv[1] == "tick")
