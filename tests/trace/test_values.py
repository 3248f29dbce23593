"""What is written of a state comes back equal, and what was shared is shared again."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from roomkit.core.commands import JoinRoom, SendMessage, TypingStart
from roomkit.core.engine import Engine
from roomkit.core.inputs import Appended, Input, Received
from roomkit.core.state import State
from roomkit.core.storage import Failed, Nonce
from roomkit.errors import TraceError
from roomkit.ids import ConnectionId, NodeId, RoomId
from roomkit.testing.lives.life import odd_policy
from roomkit.testing.world import minting
from roomkit.trace.records import pack_state, unpack_state, unpack_steps, written_down
from roomkit.trace.values import Codec
from tests.core.chat import Chat
from tests.property.test_replay import random_lives


@dataclass
class Odd:
    """It has a field no trace can hold."""

    held: set[int]


def again(state: State) -> State:
    return unpack_state(msgspec.msgpack.decode(msgspec.msgpack.encode(pack_state(state))))


def test_a_state_in_the_middle_of_things_comes_back_equal() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.send(alice, JoinRoom(room="lobby", meta={"mood": ["good", 1, 2.5, None, True]}))
    chat.hold = True
    chat.send(alice, SendMessage(room="lobby", message="hello", ref="1"))
    chat.send(alice, TypingStart(room="lobby"))
    state = chat.node.engine.state
    assert state.rooms[RoomId("lobby")].batch is not None
    assert again(state) == state


def test_what_was_shared_is_shared_again() -> None:
    chat = Chat()
    alice = chat.open("alice", protocol=1)
    chat.hold = True
    chat.send(alice, JoinRoom(room="lobby", username="alice"))
    chat.settle()
    chat.hold = True
    chat.send(alice, JoinRoom(room="garden", username="alice"))
    state = again(chat.node.engine.state)
    connection = state.connections[ConnectionId("alice")]
    (session,) = state.sessions.values()
    lobby, garden = state.rooms[RoomId("lobby")], state.rooms[RoomId("garden")]
    assert connection.session is session
    assert lobby.members[connection.id] is connection
    assert lobby.sessions[session.id].session is session
    assert state.users[session.user.user_id] is session.user
    assert garden.queue[0] is connection.headings[0]
    assert garden.queue[0].session is session


def test_timers_fire_as_they_would_have() -> None:
    chat = Chat()
    chat.send(chat.open("alice"), JoinRoom(room="lobby"))
    timers, kept = chat.node.engine.state.timers, again(chat.node.engine.state).timers
    assert list(kept.take_due(10**9)) == list(timers.take_due(10**9))


def test_every_input_comes_back_equal_whatever_it_holds() -> None:
    codec = Codec[Input](Input)
    for given in (
        Received(ConnectionId("c"), SendMessage(message="hi", room="lobby", meta={"a": {"b": []}})),
        Appended(RoomId("lobby"), Nonce(NodeId("n"), 1), Failed("disk full")),
        *(given for _, life in random_lives() for given, _ in life.inputs),
    ):
        written = msgspec.msgpack.decode(msgspec.msgpack.encode(codec.write(given)))
        assert codec.read(written) == given


def test_a_trace_makes_nothing_but_what_the_types_name() -> None:
    for written in (["Popen", [["sh"]]], ["Connected", [["not a string"]]], 7, {"a": 1}, []):
        with pytest.raises(TraceError, match="read it with the roomkit that wrote it"):
            unpack_steps([[written, 0, 0, [], [], b"", None]])
    with pytest.raises(TraceError, match="does not hold a state"):
        unpack_state([1, 2, 3])


def test_a_type_that_cannot_be_written_is_refused_when_its_codec_is_made() -> None:
    with pytest.raises(TypeError, match="a trace cannot hold"):
        Codec[Odd](Odd)


def test_a_life_put_away_after_every_step_goes_on_as_it_would_have() -> None:
    """Law 14 for states too: every step of a random life is taken by a fresh engine."""
    for limits, life in random_lives():
        mint = minting(life.name)
        engine = Engine(limits=limits, mint=mint, policy=odd_policy)
        for (given, now), before in zip(life.inputs, life.effects, strict=True):
            state = again(engine.state)
            engine = Engine(limits=limits, mint=mint, policy=odd_policy, state=state)
            assert written_down(engine.step(given, now)) == before, given
