"""Websocket messages as a server writes them (RFC 6455, 5.2): unmasked, whole, uncompressed."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["frame_texts"]

_TEXT = 0x81  # the one and last fragment of a text message


def frame_texts(messages: Sequence[bytes]) -> bytes:
    """Return the frames of these text messages, joined.

    Args:
        messages: UTF-8 encoded.
    """
    if len(messages) == 1:
        return _header(len(messages[0])) + messages[0]
    parts: list[bytes] = []
    for message in messages:
        parts.append(_header(len(message)))
        parts.append(message)
    return b"".join(parts)


def _header(size: int) -> bytes:
    if size < 126:
        return bytes((_TEXT, size))
    if size < 0x10000:
        return bytes((_TEXT, 126, size >> 8, size & 0xFF))
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big")
