"""What passes between clients and server, seen at the clients' sockets, and spoilt on request."""

from __future__ import annotations

import json
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from roomkit.client.socket import Socket

__all__ = ["tapped"]


@contextmanager
def tapped(*, fresh_keys: bool) -> Generator[list[dict[str, object]]]:
    """Yield the acknowledgements clients are sent while this lasts.

    Args:
        fresh_keys: give each message a new idempotency key each time it is sent, as clients do that
            have not understood it: the verdict must find messages that were posted twice.
    """
    acks: list[dict[str, object]] = []

    class TappedSocket(Socket):
        async def send(self, message: bytes) -> None:
            frame = json.loads(message)
            if fresh_keys and frame["type"] == "send_message":
                frame["data"]["idempotency_key"] = secrets.token_hex(8)
                message = json.dumps(frame).encode()
            await super().send(message)

        async def receive(self) -> bytes:
            message = await super().receive()
            if message.startswith(b'{"type":"ack"'):
                acks.append(json.loads(message)["data"])
            return message

    with patch("roomkit.client.connection.Socket", TappedSocket):
        yield acks
