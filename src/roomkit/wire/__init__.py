"""Frames and what they mean: the codec of both protocols and, in `schema`, their published form."""

from roomkit.wire.codec import Codec
from roomkit.wire.refusals import WireError

__all__ = ["Codec", "WireError"]
