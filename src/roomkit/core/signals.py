"""What nodes tell each other about a room without writing it down.

May be lost, late or repeated.
"""

from __future__ import annotations

import msgspec

from roomkit.ids import NodeId, UserId

__all__ = ["NodeSignal", "OccupancySignal", "PassedOn", "TypingSignal", "decode", "encode"]


class TypingSignal(msgspec.Struct, frozen=True, tag="typing"):
    """A user began or stopped typing; `seq` is what the sending node had folded."""

    user_id: UserId
    username: str
    active: bool
    seq: int


class OccupancySignal(msgspec.Struct, frozen=True, tag="occupancy"):
    """How many users and sessions `node` has in a room whose roster is off."""

    node: NodeId
    users: int
    sessions: int


class PassedOn(msgspec.Struct, frozen=True, tag="signal"):
    """A client's own signal."""

    user_id: UserId
    username: str
    name: str
    payload: object


NodeSignal = TypingSignal | OccupancySignal | PassedOn

_decoder: msgspec.msgpack.Decoder[NodeSignal] = msgspec.msgpack.Decoder(NodeSignal)
_encoder = msgspec.msgpack.Encoder()


def encode(signal: NodeSignal) -> bytes:
    """Return the payload for `SendToNodes`."""
    return _encoder.encode(signal)


def decode(data: bytes) -> NodeSignal | None:
    """Return the signal, or None if this version does not know it."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError:
        return None
