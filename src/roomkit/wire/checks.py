"""Whether the values of a well-typed command are ones the protocol allows, whatever the room says.

What depends on names, rooms or people is judged by the engine. Each check answers with a sentence
that names the field, or None.
"""

from __future__ import annotations

import re

import msgspec

from roomkit.core.commands import (
    Command,
    DeleteMessage,
    EditMessage,
    GetHistory,
    GetUsers,
    Hello,
    JoinRoom,
    Ping,
    Pong,
    SendMessage,
    SendSignal,
)
from roomkit.ids import Position
from roomkit.limits import Limits
from roomkit.wire.envelope import MAX_INTEGER

__all__ = ["problem_with"]

_NUL = b"\\u0000"
_LINK = re.compile(r"[0-9a-f]{16}")
_ENCODER = msgspec.json.Encoder()


def problem_with(command: Command | Hello, raw: bytes, limits: Limits) -> str | None:
    """Return what is wrong with a decoded command, or None.

    Args:
        raw: the frame it came from. JSON can hold U+0000 only as an escape, so most frames need no
            look at their strings.
    """
    problem = _values(command, limits)
    if problem is None and _NUL in raw:
        return _nul(command)
    return problem


def _values(command: Command | Hello, limits: Limits) -> str | None:
    match command:
        case SendMessage():
            return _post(command, limits)
        case JoinRoom():
            return (
                _length("ref", command.ref, limits.ref_chars)
                or _position(command.since)
                or _whole("history", command.history)
                or _meta(command.meta, limits)
            )
        case EditMessage():
            return _revision(command, limits)
        case DeleteMessage():
            return _revision(command, limits) or _length(
                "reason", command.reason, limits.reason_chars
            )
        case GetHistory():
            return (
                _length("ref", command.ref, limits.ref_chars)
                or _whole("before", command.before)
                or _whole("after", command.after)
                or _whole("around", command.around)
                or _whole("limit", command.limit)
            )
        case GetUsers():
            return _length("ref", command.ref, limits.ref_chars) or _whole("limit", command.limit)
        case SendSignal():
            return (
                _length("ref", command.ref, limits.ref_chars)
                or _length("name", command.name, limits.signal_name_chars)
                or _carried("payload", command.payload, limits.signal_bytes)
            )
        case Ping() | Pong():
            return _length("ref", command.ref, limits.ref_chars) or _whole(
                "t", command.t, -MAX_INTEGER
            )
        case Hello():
            return _whole("protocol", command.protocol)
        case _:
            return _length("ref", command.ref, limits.ref_chars)


def _post(command: SendMessage, limits: Limits) -> str | None:
    """Look at a message; at `reply_to` and `meta`, which most lack, only where they are given."""
    ref, key, answered = command.ref, command.idempotency_key, command.reply_to
    return (
        _length("ref", ref, limits.ref_chars)
        or _length("idempotency_key", key, limits.idempotency_key_chars)
        or (None if answered is None else _length("reply_to", answered, limits.reply_to_chars))
        or (None if command.meta is None else _meta(command.meta, limits))
    )


def _revision(command: EditMessage | DeleteMessage, limits: Limits) -> str | None:
    return (
        _length("ref", command.ref, limits.ref_chars)
        or _length("id", command.id, limits.reply_to_chars)
        or _whole("if_version", command.if_version)
    )


def _length(name: str, value: str | None, most: int) -> str | None:
    if value is None or 0 < len(value) <= most:
        return None
    return f"{name} must be 1 to {most} characters, not {len(value)}"


def _whole(name: str, value: int | None, least: int = 0) -> str | None:
    if value is None or least <= value <= MAX_INTEGER:
        return None
    lower = "-2^53 + 1" if least else "0"
    return f"{name} must be a whole number from {lower} to 2^53 - 1"


def _position(since: Position | None) -> str | None:
    if since is None:
        return None
    if _LINK.fullmatch(since.link) or (since.seq == 0 and since.link == ""):
        return _whole("since.seq", since.seq)
    return "since.link must be 16 lower-case hex digits: send the link of the last frame applied"


def _meta(meta: dict[str, object] | None, limits: Limits) -> str | None:
    if meta is None:
        return None
    return _carried("meta", meta, limits.meta_bytes, limits.meta_depth)


def _carried(name: str, value: object, most_bytes: int, most_depth: int = 0) -> str | None:
    """Judge JSON the server only carries; with `most_depth` 0 the frame's own bound is enough."""
    size = len(_ENCODER.encode(value))
    if size > most_bytes:
        return f"{name} must be at most {most_bytes} bytes of JSON, not {size}"
    depth = 0
    level: list[object] = [value]
    while level:
        inner: list[object] = []
        containers = False
        for item in level:
            if isinstance(item, dict):
                containers = True
                inner += item.values()
            elif isinstance(item, list):
                containers = True
                inner += item
            elif isinstance(item, int) and abs(item) > MAX_INTEGER:
                return f"{name} holds a whole number beyond 2^53 - 1: send it as a string"
        depth += containers
        level = inner
    if most_depth and depth > most_depth:
        return f"{name} must be nested at most {most_depth} levels deep, not {depth}"
    return None


def _nul(command: Command | Hello) -> str | None:
    """Name the first field with a U+0000 anywhere in it, keys included."""
    for name, value in msgspec.structs.asdict(command).items():
        rest: list[object] = [value]
        while rest:
            item = rest.pop()
            if isinstance(item, str) and "\0" in item:
                return f"{name} must not contain the NUL character (U+0000): leave it out"
            if isinstance(item, dict):
                rest += item.keys()
                rest += item.values()
            elif isinstance(item, list):
                rest += item
    return None
