"""A client program: connects, joins a room, and drops the connection, so many times over.

`python come_and_go.py PORT TIMES`, with plain sockets and no library, protocol 1. Exits 0 when the
last connection is dropped.
"""

from __future__ import annotations

import json
import socket
import sys

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def masked(payload: bytes) -> bytes:
    """Return a text frame as a client sends it, masked with zeros."""
    return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload


def read_until(peer: socket.socket, mark: bytes) -> None:
    """Read until `mark` has come."""
    seen = b""
    while mark not in seen:
        chunk = peer.recv(65536)
        if not chunk:
            raise ConnectionError(f"closed before {mark!r} came, after {seen[-200:]!r}")
        seen += chunk


def main(port: int, times: int) -> None:
    """Come and go."""
    for number in range(times):
        join = {"room": f"room-{number % 8}", "username": "alice"}
        frame = json.dumps({"type": "join_room", "data": join}).encode()
        with socket.create_connection(("127.0.0.1", port), 30) as peer:
            peer.sendall(HANDSHAKE)
            read_until(peer, b"\r\n\r\n")
            peer.sendall(masked(frame))
            read_until(peer, b'"room_users"')


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
