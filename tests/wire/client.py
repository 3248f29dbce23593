"""A client's side of the wire in these tests: making frames, and reading how they are refused."""

from __future__ import annotations

import json

import pytest

from roomkit.limits import Limits
from roomkit.wire import Codec, WireError

LIMITS = Limits()
CODEC = Codec(LIMITS)
LINK = "0123456789abcdef"


def frame(kind: str, **data: object) -> str:
    return json.dumps({"type": kind, "data": data})


def refusal(text: str | bytes, protocol: int = 2) -> tuple[str, str, str | None, str | None]:
    """Return code, message, ref and room of the error that answers this frame."""
    with pytest.raises(WireError) as caught:
        CODEC.decode(text, protocol)
    error = caught.value
    return str(error.code), error.message, error.ref, error.room
