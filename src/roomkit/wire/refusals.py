"""Why a frame is no command: the exact code, a sentence a developer can act on, `ref`, `room`.

Only frames that failed to decode come here, so clarity goes before speed. Nothing a client sent is
ever built into Python objects here except `type`, `ref` and `room`: the rest is only scanned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from roomkit.errors import ErrorCode, RoomkitError
from roomkit.limits import Limits

__all__ = ["WireError", "explain", "origin_of", "sound_ref", "sound_room"]

_SHOWN_CHARS = 40
_ENVELOPE = 'a frame is one object, {"type": "...", "data": {...}}'
_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number with a fraction or exponent",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "a string",
}
_LOCATION = re.compile(r"(?P<problem>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_FIELD = re.compile(r"\.data\.(\w+(?:\.\w+)*)")
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`")
_BYTE = re.compile(r"\(byte (\d+)\)")
_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")


class WireError(RoomkitError):
    """A frame was refused before it became a command; the connection stays.

    Attributes:
        code: bad_frame, unknown_type, bad_argument or too_large.
        message: for people: what was wrong, what was expected, what to do.
        ref: of the frame, if it had a sound one and the protocol has refs.
        room: the room the frame named, if it can be told.
    """

    def __init__(
        self, code: ErrorCode, message: str, ref: str | None = None, room: str | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.ref = ref
        self.room = room


class _Parts(msgspec.Struct):
    type: msgspec.Raw | UnsetType = UNSET
    data: msgspec.Raw | UnsetType = UNSET


class _Origin(msgspec.Struct):
    ref: object = None
    room: object = None


_PARTS = msgspec.json.Decoder(_Parts)
_ORIGIN = msgspec.json.Decoder(_Origin)
_TYPE = msgspec.json.Decoder(str)


def sound_ref(ref: object, limits: Limits) -> str | None:
    """Return `ref` if an answer can carry it, else None."""
    return _sound(ref, limits.ref_chars)


def sound_room(room: object, limits: Limits) -> str | None:
    """Return `room` if an answer can carry it, else None; the core judges whether it is a name."""
    return _sound(room, limits.room_name_chars)


def _sound(value: object, most_chars: int) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= most_chars and "\0" not in value:
        return value
    return None


def origin_of(raw: bytes, limits: Limits, protocol: int) -> tuple[str | None, str | None]:
    """Return the `ref` and `room` of a frame that may be anything; None for what cannot be told."""
    try:
        return _origin(_PARTS.decode(raw), limits, protocol)
    except (msgspec.DecodeError, RecursionError):  # nested beyond what the decoder follows
        return None, None


def _origin(parts: _Parts, limits: Limits, protocol: int) -> tuple[str | None, str | None]:
    if not isinstance(parts.data, msgspec.Raw):
        return None, None
    try:
        origin = _ORIGIN.decode(parts.data)
    except msgspec.DecodeError:
        return None, None
    ref = sound_ref(origin.ref, limits) if protocol == 2 else None
    return ref, sound_room(origin.room, limits)


def explain(
    raw: bytes, error: msgspec.DecodeError, known: Sequence[str], limits: Limits, protocol: int
) -> WireError:
    """Return the refusal of a frame that did not decode.

    Args:
        raw: the frame; not nested deeper than the decoder follows.
        error: what the typed decoder said.
        known: every `type` this connection may send.
        protocol: 0 if this is the first frame.
    """
    try:
        parts = _PARTS.decode(raw)
    except msgspec.ValidationError:
        return WireError(ErrorCode.BAD_FRAME, f"the frame is not an object: {_ENVELOPE}")
    except msgspec.DecodeError as broken:
        return WireError(ErrorCode.BAD_FRAME, _not_json(str(broken)))
    ref, room = _origin(parts, limits, protocol)
    code, problem = _judge_type(parts, known, protocol) or _judge_data(str(error))
    return WireError(code, problem, ref, room)


def _not_json(detail: str) -> str:
    place = _BYTE.search(detail)
    reason = "it ends too early, or a surrogate in it has no partner"
    if place:
        reason = f"malformed near byte {place[1]}"
    return f"the frame is not JSON ({reason}): {_ENVELOPE}"


def _judge_type(parts: _Parts, known: Sequence[str], protocol: int) -> tuple[ErrorCode, str] | None:
    """Return what is wrong with `type`, or None if it is one of `known`."""
    if not isinstance(parts.type, msgspec.Raw):
        return ErrorCode.BAD_FRAME, f"type is missing: {_ENVELOPE}"
    try:
        name = _TYPE.decode(parts.type)
    except msgspec.DecodeError:
        return ErrorCode.BAD_FRAME, f"type must be a string: {_ENVELOPE}"
    if name in known:
        return None
    if name == "hello":
        told = "hello must be the first frame: open another connection to say it again"
        return ErrorCode.UNKNOWN_TYPE, told
    shown = name if len(name) <= _SHOWN_CHARS else name[:_SHOWN_CHARS] + "…"
    told = f"unknown type {shown!r}: this connection may send {', '.join(known)}"
    if protocol < 2:
        told += "; every other type needs hello as the first frame"
    return ErrorCode.UNKNOWN_TYPE, told


def _judge_data(detail: str) -> tuple[ErrorCode, str]:
    """Turn the typed decoder's complaint about `data` into our words."""
    found = _LOCATION.fullmatch(detail)
    problem, path = (found["problem"], found["path"] or "") if found else (detail, "")
    missing = _MISSING.fullmatch(problem)
    field = _FIELD.match(path)
    if missing and path.startswith(".data"):
        name = f"{field[1]}.{missing['field']}" if field else missing["field"]
        return ErrorCode.BAD_ARGUMENT, f"{name} is missing: put it into data"
    if missing:
        return ErrorCode.BAD_FRAME, f"{missing['field']} is missing: {_ENVELOPE}"
    expected = _EXPECTED.fullmatch(problem)
    if field is None:
        got = f", not {_WORDS.get(expected['got'], expected['got'])}" if expected else ""
        return ErrorCode.BAD_FRAME, f"data must be an object{got}: {_ENVELOPE}"
    if expected is None:
        return ErrorCode.BAD_ARGUMENT, f"{field[1]} holds a number out of range: send a smaller one"
    wanted = " or ".join(
        _WORDS.get(kind, kind) for kind in expected["wanted"].split(" | ") if kind != "null"
    )
    got = _WORDS.get(expected["got"], expected["got"])
    return ErrorCode.BAD_ARGUMENT, f"{field[1]} must be {wanted}, not {got}"
