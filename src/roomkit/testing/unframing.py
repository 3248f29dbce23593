"""Websocket frames of a server taken apart again (RFC 6455, 5.2)."""

from __future__ import annotations

from collections.abc import Generator

__all__ = ["texts_in"]

_TEXT = 0x81
_MORE = {126: 2, 127: 8}


def texts_in(framed: bytes) -> Generator[bytes]:
    """Yield the payloads of whole, unmasked text frames.

    Raises:
        AssertionError: it is something else, or part of one.
    """
    at = 0
    while at < len(framed):
        assert framed[at] == _TEXT, "not a whole text message"
        size, at = framed[at + 1], at + 2
        more = _MORE.get(size, 0)
        if more:
            size, at = int.from_bytes(framed[at : at + more], "big"), at + more
        yield framed[at : at + size]
        at += size
    assert at == len(framed), "the last frame is cut short"
