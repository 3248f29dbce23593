"""What every frame is made of: the envelope `{"type", "data"}`, and the types frames share."""

from __future__ import annotations

from typing import Annotated

import msgspec

__all__ = ["MAX_INTEGER", "Data", "Frame", "Link", "Placed", "Timestamp", "type_of"]

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (protocol page, Rules)."""

Timestamp = Annotated[str, msgspec.Meta(pattern=r"^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
"""A point in time: UTC, to the millisecond."""

Link = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{16})?$")]
"""16 hex digits; empty only at seq 0 of a room that has no log yet."""


class Frame(msgspec.Struct, frozen=True, tag_field="type"):
    """The envelope. It never grows: whatever is new goes inside `data`."""


def type_of(frame: type[Frame]) -> str:
    """Return the `type` that frames of this class carry."""
    return str(frame.__struct_config__.tag)


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """What is inside `data`. Readers ignore keys they do not know."""


class Placed(Data, frozen=True, kw_only=True):
    """A place in the log of a room; a client's position moves to it."""

    room: str
    seq: int
    link: Link
