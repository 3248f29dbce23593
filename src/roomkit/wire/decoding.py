"""Frames to commands: one typed decoder per protocol, so a good frame costs about a microsecond.

A frame that does not decode is looked at a second time, in `refusals`, for the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import msgspec

from roomkit.core.commands import Command, Hello
from roomkit.errors import ErrorCode
from roomkit.limits import Limits
from roomkit.wire.checks import problem_with
from roomkit.wire.client_frames import ClientFrame, HelloFrame
from roomkit.wire.envelope import type_of
from roomkit.wire.legacy_frames import LegacyData, LegacyFrame
from roomkit.wire.refusals import WireError, explain, origin_of, sound_ref, sound_room

__all__ = ["decode"]

_ACCEPTED: dict[int, object] = {0: HelloFrame | LegacyFrame, 1: LegacyFrame, 2: ClientFrame}
_DECODER: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(_ACCEPTED[2])
_OLDER_DECODERS: dict[int, msgspec.json.Decoder[HelloFrame | LegacyFrame]] = {
    protocol: msgspec.json.Decoder(_ACCEPTED[protocol]) for protocol in (0, 1)
}
_KNOWN = {
    protocol: tuple(type_of(frame) for frame in get_args(accepted))
    for protocol, accepted in _ACCEPTED.items()
}
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")


def decode(frame: str | bytes, limits: Limits, protocol: int) -> Hello | Command:
    """Return what a frame asks for.

    Args:
        frame: one websocket message; bytes if it was binary.
        protocol: 1 or 2; 0 if this is the first frame, which decides it: 2 after a `Hello`, else 1.

    Raises:
        WireError: it asks for nothing this connection may ask for.
    """
    if isinstance(frame, bytes):
        told = "binary frames are not understood: send JSON in text frames"
        raise WireError(ErrorCode.BAD_FRAME, told)
    try:
        raw = frame.encode()
    except UnicodeEncodeError:
        told = "the frame holds a lone surrogate: send well-formed Unicode"
        raise WireError(ErrorCode.BAD_FRAME, told) from None
    if len(raw) > limits.frame_bytes:
        told = f"the frame has {len(raw)} bytes: send at most {limits.frame_bytes}"
        raise WireError(ErrorCode.TOO_LARGE, told, *origin_of(raw, limits, protocol))
    deepest = limits.frame_depth
    if raw.count(b"{") + raw.count(b"[") > deepest and _nested_deeper(raw, deepest):
        told = f"the frame is nested too deeply: use at most {deepest} levels"
        raise WireError(ErrorCode.BAD_FRAME, told, *origin_of(raw, limits, protocol))
    command: Hello | Command
    try:
        if protocol == 2:
            command = _DECODER.decode(raw).data
        else:
            data = _OLDER_DECODERS[protocol].decode(raw).data
            command = data.command() if isinstance(data, LegacyData) else data
    except msgspec.DecodeError as error:
        raise explain(raw, error, _KNOWN[protocol], limits, protocol) from None
    problem = problem_with(command, raw, limits)
    if problem is not None:
        ref = sound_ref(getattr(command, "ref", None), limits)
        room = sound_room(getattr(command, "room", None), limits)
        raise WireError(ErrorCode.BAD_ARGUMENT, problem, ref, room)
    return command


def _nested_deeper(raw: bytes, most: int) -> bool:
    depth = 0
    for bracket in _brackets(raw):
        depth += 1 if bracket in _OPENING else -1
        if depth > most:
            return True
    return False


def _brackets(raw: bytes) -> Iterator[int]:
    """Yield the brackets that are not inside a string."""
    plain = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    outside = b"".join(plain.split(b'"')[::2])
    return iter(outside.translate(None, _NOT_BRACKETS))
