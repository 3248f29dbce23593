"""Framing, against the `websockets` library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from roomkit.runtime.framing import frame_texts


def framed_by_the_library(message: bytes) -> bytes:
    return Frame(Opcode.TEXT, message).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 70_000])
def test_every_length_of_a_header(size: int) -> None:
    message = b"x" * size
    assert frame_texts([message]) == framed_by_the_library(message)


@given(st.lists(st.binary(max_size=200)))
def test_messages_are_framed_one_after_the_other(messages: list[bytes]) -> None:
    assert frame_texts(messages) == b"".join(map(framed_by_the_library, messages))
