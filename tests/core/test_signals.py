"""What nodes tell each other."""

from typing import get_args

import msgspec
import pytest

from roomkit.core.signals import (
    NodeSignal,
    OccupancySignal,
    PassedOn,
    TypingSignal,
    decode,
    encode,
)
from roomkit.ids import NodeId, UserId

ONE_OF_EACH: list[NodeSignal] = [
    TypingSignal(UserId("u"), "alice", True, 7),
    OccupancySignal(NodeId("n"), 3, 4),
    PassedOn(UserId("u"), "alice", "wave", {"hands": [1, 2, None]}),
]


def test_there_is_one_of_each() -> None:
    assert {type(signal) for signal in ONE_OF_EACH} == set(get_args(NodeSignal))


@pytest.mark.parametrize("signal", ONE_OF_EACH, ids=lambda signal: type(signal).__name__)
def test_a_signal_comes_back_as_it_was(signal: NodeSignal) -> None:
    assert decode(encode(signal)) == signal


@pytest.mark.parametrize(
    "data",
    [b"", msgspec.msgpack.encode({"type": "later"}), msgspec.msgpack.encode({"type": "typing"})],
    ids=["nothing", "a later kind", "another form"],
)
def test_what_this_version_does_not_know_is_none(data: bytes) -> None:
    assert decode(data) is None
