"""Facts as a store keeps them."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomkit.core import facts
from roomkit.core.facts import Arrival, Departure, Fact, decode, encode
from roomkit.core.views import Message
from roomkit.ids import NodeId, SessionId, UserId

ONE_OF_EACH: list[Fact] = [
    facts.Posted(UserId("u"), "alice", "hello"),
    facts.Posted(UserId("u"), "alice", "hello", True, "k", "1-a", {"a": [1, None, {"b": 0.5}]}),
    facts.Edited(Message(7, "l", 5, UserId("u"), "alice", "hi", version=2, edited=6), UserId("u")),
    facts.Deleted(Message(7, "l", 5, UserId("u"), "alice", "", version=3), UserId("m"), "spam"),
    facts.Entered(NodeId("n"), [Arrival(SessionId("s"), UserId("u"), "alice", {"x": 1}, 5)]),
    facts.Entered(NodeId("n"), [], True, NodeId("m")),
    facts.Left(NodeId("n"), [Departure(SessionId("s"), UserId("u"), "left")]),
    facts.NodeLost(NodeId("n")),
    facts.RosterSwitched(False),
    facts.Moderated("kick", UserId("u"), "alice", "bob", "too loud"),
]


def test_there_is_one_of_each() -> None:
    assert {type(fact) for fact in ONE_OF_EACH} == set(get_args(Fact))


@pytest.mark.parametrize("fact", ONE_OF_EACH, ids=lambda fact: type(fact).__name__)
def test_a_fact_comes_back_as_it_was(fact: Fact) -> None:
    assert decode(encode(fact)) == fact


@given(st.text(), st.text())
def test_any_text_comes_back(username: str, text: str) -> None:
    fact = facts.Posted(UserId("u"), username, text)
    assert decode(encode(fact)) == fact


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode(5),
        msgspec.msgpack.encode({"node": "n"}),
        msgspec.msgpack.encode({"type": "edited", "seq": 5}),
        msgspec.msgpack.encode({"type": "posted", "user_id": 5}),
    ],
    ids=["nothing", "no MessagePack", "no map", "no kind", "a later kind", "another form"],
)
def test_what_this_version_does_not_know_is_none(data: bytes) -> None:
    assert decode(data) is None


def test_a_field_added_later_is_ignored() -> None:
    data = msgspec.msgpack.encode({"type": "node_lost", "node": "n", "since": 5})
    assert decode(data) == facts.NodeLost(NodeId("n"))


def test_every_fact_but_posting_entering_and_leaving_is_a_control_fact() -> None:
    ordinary = {facts.Posted, facts.Entered, facts.Left}
    assert set(facts.CONTROL_FACTS) == set(get_args(Fact)) - ordinary
