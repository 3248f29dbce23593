"""What brokers speak over a websocket: MQTT 3.1.1 and the protocol of NATS clients.

A room is a topic. There is nobody in it who could be named, and no answer but that of the broker;
whoever writes makes the whole message.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from benchmarks.frames import BINARY, client_frame
from benchmarks.load_generator.dialect import Dialect, Step

__all__ = ["MQTT", "NATS"]


def _message(name: str, room: str, text: str) -> bytes:
    said = {"room": room, "username": name, "message": text, "type": "message"}
    return json.dumps(said | {"timestamp": "2024-01-01T12:00:00.000Z"}).encode()


# MQTT, sections 2.2.3 (remaining length), 3.1 (connect), 3.3 (publish), 3.8 (subscribe)


def _packet(kind: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | 128 if rest else digit)
        if not rest:
            return client_frame(BINARY, bytes([kind]) + bytes(length) + body)


def _string(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _connect_and_subscribe(name: str, room: str) -> Sequence[Step]:
    clean, no_keep_alive, packet_id, at_most_once = b"\x02", b"\0\0", b"\0\1", b"\0"
    connect = _string("MQTT") + b"\x04" + clean + no_keep_alive + _string(name)
    return [
        Step(_packet(0x10, connect), b"\x20\x02\0\0"),
        Step(_packet(0x82, packet_id + _string(room) + at_most_once), b"\x90\x03"),
    ]


def _publish(name: str, room: str, text: str) -> bytes:
    return _packet(0x30, _string(room) + _message(name, room, text))


MQTT = Dialect(
    "/mqtt", _connect_and_subscribe, _publish, headers="Sec-WebSocket-Protocol: mqtt\r\n"
)


# NATS: lines, and a payload after its length


def _subscribe(name: str, room: str) -> Sequence[Step]:
    options = json.dumps({"verbose": False, "pedantic": False, "echo": True, "name": name})
    lines = f"CONNECT {options}\r\nSUB {room} 1\r\nPING\r\n"
    return [Step(client_frame(BINARY, lines.encode()), b"PONG")]


def _pub(name: str, room: str, text: str) -> bytes:
    payload = _message(name, room, text)
    return client_frame(BINARY, b"PUB %s %d\r\n%s\r\n" % (room.encode(), len(payload), payload))


NATS = Dialect("/", _subscribe, _pub, opened=b"INFO ")
