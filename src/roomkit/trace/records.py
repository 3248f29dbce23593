"""What a trace holds: a header, the engine's state, then every step; and how each is framed.

A segment is a file: `MAGIC`, then frames. A frame is its length and a CRC-32 (4 bytes each, big
end first), then MessagePack packed by zlib. The first frame holds the `Header`, the second the
state, the others batches of steps. A frame that is cut short or does not fit its checksum ends what
can be read.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from roomkit.core.effects import Effect
from roomkit.core.inputs import Input, Now
from roomkit.core.state import State
from roomkit.errors import TraceError
from roomkit.limits import Limits
from roomkit.trace.values import Codec

__all__ = [
    "FORMAT",
    "MAGIC",
    "Header",
    "Step",
    "digest",
    "frame",
    "frame_steps",
    "pack_state",
    "pack_step",
    "read_frames",
    "same_state",
    "unpack_header",
    "unpack_state",
    "unpack_steps",
    "whole_frames",
    "written_down",
]

T = TypeVar("T")

MAGIC = b"roomkit trace\n"
FORMAT = 1
"""Version of what this file describes; nothing reads a newer one."""

_DIGEST_BYTES = 8
_HEAD_BYTES = 8
_LEVEL = 1  # of zlib: a batch is packed in a moment, to about a third

_NOT_OURS = (
    msgspec.DecodeError, zlib.error, LookupError, RecursionError, TypeError, ValueError
)  # fmt: skip
_encode = msgspec.msgpack.Encoder().encode


class Header(msgspec.Struct, frozen=True):
    """What must be known to replay a segment.

    Attributes:
        run: names one life of one hub; its segments continue each other.
        first: number of its first step; a run counts from 1.
        version: of the roomkit that wrote it.
        asks: False if the host had no policy of its own.
    """

    format: int
    run: str
    first: int
    version: str
    limits: Limits
    asks: bool


class Step(msgspec.Struct, frozen=True):
    """One step of the engine: all that went in, and what came out as a digest.

    Attributes:
        minted: the ids minted during the step, in order.
        answers: what the policy said, in order; None where it raised.
        digest: of the effects (see `digest`); empty if the engine failed.
        raised: name of the exception, if the engine failed.
    """

    input: Input
    now: Now
    minted: tuple[str, ...] = ()
    answers: tuple[bool | None, ...] = ()
    digest: bytes = b""
    raised: str | None = None


_inputs = Codec[Input](Input)
_state = Codec[State](State)


def written_down(effects: Sequence[Effect]) -> bytes:
    """Return effects as bytes that differ if anything in them does, the order of keys included."""
    named = [
        (type(one).__name__, type(getattr(one, "event", one)).__name__, one) for one in effects
    ]
    return _encode(named)


def digest(effects: Sequence[Effect]) -> bytes:
    """Return what tells one list of effects from every other: 8 bytes of BLAKE2b."""
    if not effects:
        return _OF_NOTHING
    return hashlib.blake2b(written_down(effects), digest_size=_DIGEST_BYTES).digest()


_OF_NOTHING = hashlib.blake2b(written_down(()), digest_size=_DIGEST_BYTES).digest()


def pack_state(state: State) -> object:
    """Return the state as it is now, for `frame`; it may go on changing meanwhile."""
    return _state.write(state)


def unpack_state(packed: object) -> State:
    """Return a state equal to the one packed, whatever it shares shared.

    Raises:
        TraceError: this is no state of this version.
    """
    return _reading("a state", _state.read, packed)


def same_state(one: State, other: State) -> bool:
    """Tell whether two states are packed to the same bytes."""
    return _encode(_state.write(one)) == _encode(_state.write(other))


def unpack_header(packed: object) -> Header:
    """Return the header packed.

    Raises:
        TraceError: this is no header of this version.
    """
    header = _reading("a header", lambda written: msgspec.convert(written, Header), packed)
    if header.format > FORMAT:
        raise TraceError(
            f"the trace is of format {header.format} and this version reads up to {FORMAT}: read "
            f"it with roomkit {header.version}"
        )
    return header


def pack_step(
    given: Input,
    now: Now,
    minted: Sequence[str],
    answers: Sequence[bool | None],
    effects: Sequence[Effect] | None,
    raised: str | None = None,
) -> bytes:
    """Return a step, packed for `frame_steps`. `effects` is None if the engine failed.

    Raises:
        TypeError, ValueError, OverflowError: the host put in something that cannot be packed.
    """
    kept = b"" if effects is None else digest(effects)
    return _encode((_inputs.write(given), now.mono, now.wall, minted, answers, kept, raised))


def unpack_steps(packed: object) -> list[Step]:
    """Return the steps of a batch.

    Raises:
        TraceError: these are no steps of this version.
    """
    return _reading("steps", _steps, packed)


def _steps(packed: Any) -> list[Step]:
    return [
        Step(
            _inputs.read(given),
            Now(msgspec.convert(mono, int), msgspec.convert(wall, int)),
            msgspec.convert(minted, tuple[str, ...]),
            msgspec.convert(answers, tuple[bool | None, ...]),
            msgspec.convert(kept, bytes),
            msgspec.convert(raised, str | None),
        )
        for given, mono, wall, minted, answers, kept, raised in packed
    ]


def _unpacked(body: bytes) -> object:
    decoded: object = msgspec.msgpack.decode(zlib.decompress(body))
    return decoded


def _reading(what: str, read: Callable[[Any], T], packed: object) -> T:
    try:
        return read(packed)
    except _NOT_OURS as error:
        raise TraceError(
            f"the trace does not hold {what} this version knows ({error}): read it with the "
            "roomkit that wrote it"
        ) from error


def frame(packed: object) -> bytes:
    """Return one frame, ready to be written."""
    return _framed(_encode(packed))


def frame_steps(steps: Sequence[bytes]) -> bytes:
    """Return the frame of a batch of packed steps: an array of them."""
    return _framed(b"\xdd" + len(steps).to_bytes(4) + b"".join(steps))


def _framed(data: bytes) -> bytes:
    body = zlib.compress(data, _LEVEL)
    return len(body).to_bytes(4) + zlib.crc32(body).to_bytes(4) + body


def whole_frames(data: bytes) -> int:
    """Return how many bytes of a segment are whole: its `MAGIC`, and frames before a torn one."""
    end = len(MAGIC)
    while end + _HEAD_BYTES <= len(data):
        length = int.from_bytes(data[end : end + 4])
        body = data[end + _HEAD_BYTES : end + _HEAD_BYTES + length]
        if len(body) < length or zlib.crc32(body) != int.from_bytes(data[end + 4 : end + 8]):
            break
        end += _HEAD_BYTES + length
    return end


def read_frames(data: bytes) -> Iterator[object]:
    """Yield what the whole frames of a segment hold.

    Raises:
        TraceError: no roomkit wrote this frame.
    """
    at, end = len(MAGIC), whole_frames(data)
    while at < end:
        length = int.from_bytes(data[at : at + 4])
        body = data[at + _HEAD_BYTES : at + _HEAD_BYTES + length]
        yield _reading("records", _unpacked, body)
        at += _HEAD_BYTES + length
