"""The engine as a whole: deterministic, and nothing left behind."""

import pytest

from roomkit.core.commands import JoinRoom, LeaveRoom, SendMessage, TypingStart
from roomkit.core.effects import Effect, FindLapsed, ReadTips, Renew
from roomkit.core.engine import Engine
from roomkit.core.inputs import Input, Now, Tick
from roomkit.limits import Limits
from tests.core.chat import Chat

Trace = list[tuple[Input, Now, list[Effect]]]


class Recorded(Chat):
    """A chat that notes every input its first node takes, and what came of it."""

    def __init__(self) -> None:
        self.trace: Trace = []
        super().__init__(Limits(messages_burst=100, roster_limit=2, roster_return=1), nodes=2)

    def record(self) -> None:
        engine = self.node.engine
        step = engine.step

        def recording(input: Input, now: Now) -> list[Effect]:
            effects = step(input, now)
            self.trace.append((input, now, list(effects)))
            return effects

        engine.step = recording  # type: ignore[method-assign]  # a tap for this test


def eventful() -> Trace:
    """Two nodes and four people through joins, messages, drops, a full room, and a minute."""
    chat = Recorded()
    chat.record()
    one, two, three = (chat.open(name) for name in ("alice", "bob", "carol"))
    four = chat.open("dave", node=chat.nodes[1], protocol=1)
    for connection in (one, four, two):
        chat.join(connection)
        chat.say(connection, "hello")
    chat.send(one, TypingStart(room="lobby"))
    chat.advance(7_000)
    chat.join(three)
    chat.drop(two)
    chat.advance(20_000)
    chat.hold = True
    chat.node.send(one, SendMessage(room="lobby", message="a", idempotency_key="k", ref="1"))
    chat.node.send(one, SendMessage(room="lobby", message="b", idempotency_key="k", ref="2"))
    chat.node.send(three, LeaveRoom(room="lobby"))
    chat.node.send(one, JoinRoom(room="garden"))
    chat.settle()
    chat.drop(four)
    chat.advance(120_000)
    return chat.trace


def test_replaying_what_went_in_gives_what_came_out() -> None:
    """Law 14."""
    trace = eventful()
    assert len(trace) > 50
    minted = iter(f"n1-{number}" for number in range(1, 100))
    again = Engine(
        limits=Limits(messages_burst=100, roster_limit=2, roster_return=1),
        mint=lambda: next(minted),
    )
    again.step(Tick(), Now(0, trace[0][1].wall))
    for input, now, effects in trace:
        if again.step(input, now) != effects:
            pytest.fail(f"{input} came out differently")


def test_a_fresh_engine_wants_a_tick_at_once_and_asks_for_its_lease() -> None:
    engine = Engine(limits=Limits(), mint=lambda: "me")
    assert (engine.node, engine.next_deadline) == ("me", 0)
    assert engine.step(Tick(), Now(0, 0)) == [Renew(engine.node, 45_000)]
    assert engine.next_deadline == 15_000


def test_a_quiet_node_does_housekeeping_only() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000))
    alice = chat.open("alice")
    chat.join(alice)
    kinds: set[type] = set()
    chat.hold = True
    for _ in range(120):
        chat.world.clock.move_to(chat.world.clock.mono + 1_000)
        kinds |= {type(effect) for effect in chat.node.tick()}
        for effect in list(chat.node.pending):
            chat.node.pending.remove(effect)
            kinds |= {type(effect) for effect in chat.node.perform(effect)}
    assert kinds <= {Renew, ReadTips, FindLapsed}


def test_the_next_deadline_never_lies_behind_after_a_tick() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.send(alice, TypingStart(room="lobby"))
    for _ in range(200):
        deadline = chat.node.engine.next_deadline
        assert deadline is not None
        assert deadline > chat.world.clock.mono
        chat.advance(deadline - chat.world.clock.mono)
