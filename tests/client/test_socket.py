"""The client's websocket, where its users cannot look: after the end."""

from __future__ import annotations

import anyio
import pytest
from anyio.abc import ByteStream
from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from roomkit.client.socket import Socket, SocketClosed


class EndedStream(ByteStream):
    """Nothing comes, and nothing may be written."""

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        raise anyio.EndOfStream

    async def send(self, item: bytes) -> None:
        raise anyio.BrokenResourceError

    async def send_eof(self) -> None:
        raise anyio.BrokenResourceError

    async def aclose(self) -> None:
        pass


async def test_writing_after_the_peer_has_gone_is_no_error() -> None:
    """Reading finds out first, and a frame may wait to be written then."""
    socket = Socket(EndedStream(), ClientProtocol(parse_uri("ws://localhost/"), state=OPEN))
    with pytest.raises(SocketClosed) as closed:
        await socket.receive()
    assert closed.value.code == 1006
    await socket.send(b"too late")
    await socket.close(1000, "too late")
