"""Websocket frames as raw bytes, for clients that do as little as they can (RFC 6455, 5.2)."""

from __future__ import annotations

import json
from collections.abc import Generator

__all__ = [
    "BINARY",
    "HEADERS_END",
    "PING",
    "TEXT",
    "UPGRADED",
    "client_frame",
    "frames_in",
    "handshake",
    "pong",
    "text_frame",
]

TEXT, BINARY, PING, PONG = 0x1, 0x2, 0x9, 0xA
HEADERS_END = b"\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 "
_NO_MASK = b"\0\0\0\0"  # a client must mask; with zeroes the payload stays as it is


def handshake(port: int) -> bytes:
    """Return the request that opens a websocket on a port of this machine."""
    return (
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ) % port


def text_frame(kind: str, **data: object) -> bytes:
    """Return a frame of the protocol as a client sends it, below 64 KiB."""
    return client_frame(TEXT, json.dumps({"type": kind, "data": data}).encode())


def pong(payload: bytes) -> bytes:
    """Return the answer to a ping of the websocket's own."""
    return client_frame(PONG, payload)


def client_frame(opcode: int, payload: bytes) -> bytes:
    """Return one frame of a client, below 64 KiB."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + _NO_MASK + payload


def frames_in(buffer: bytearray) -> Generator[tuple[int, bytes]]:
    """Take whole frames from the front of what a server sent: opcode and payload of each."""
    while len(buffer) >= 2:
        size, start = buffer[1], 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + size:
            return
        frame = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        yield frame
