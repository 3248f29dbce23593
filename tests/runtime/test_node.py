"""A step does what the engine says, in order, whatever goes wrong with one of the parts."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import cast

import anyio
import pytest

from roomkit import Limits, MemoryStore
from roomkit.core.commands import Ping
from roomkit.core.effects import Attach, Broadcast, Close, Deliver, Detach, Effect
from roomkit.core.engine import Engine
from roomkit.core.events import Advanced, Failure, Message, Pinged, Posted
from roomkit.core.inputs import (
    Closed,
    Connected,
    Garbled,
    Input,
    Now,
    Opened,
    Received,
    Tick,
    Unwatched,
    Watched,
)
from roomkit.errors import CloseCode, ErrorCode
from roomkit.ids import ConnectionId, RoomId, UserId
from roomkit.runtime.handshake import Identities
from roomkit.runtime.node import Node
from roomkit.runtime.serving import serve
from roomkit.runtime.tokens import Tokens
from tests.runtime.scripted import ScriptedTransport, eventually

LOBBY = RoomId("lobby")


class ScriptedEngine:
    """Answers each kind of input with what a test put there.

    Attributes:
        inputs: everything stepped.
        effects: what to answer the next inputs of a kind with; a callable may also raise.
    """

    def __init__(self) -> None:
        self.inputs: list[Input] = []
        self.effects: dict[type, Callable[[Input], list[Effect]]] = {}
        self.next_deadline: int | None = None

    def step(self, given: Input, now: Now) -> list[Effect]:
        self.inputs.append(given)
        answer = self.effects.get(type(given))
        return [] if answer is None else answer(given)

    def stepped(self, kind: type) -> list[Input]:
        return [given for given in self.inputs if isinstance(given, kind)]


@asynccontextmanager
async def driving(*transports: ScriptedTransport) -> AsyncGenerator[tuple[ScriptedEngine, Node]]:
    """A node over a scripted engine, with these connections open in protocol 2."""
    engine, limits = ScriptedEngine(), Limits(close_ms=50)
    identities = Identities(None, Tokens(b"0123456789abcdef"), limits)
    async with anyio.create_task_group() as tasks:
        node = Node(cast(Engine, engine), MemoryStore(), limits, identities, tasks)
        node.start(tasks)
        async with anyio.create_task_group() as serving:
            for number, transport in enumerate(transports, 1):
                serving.start_soon(serve, node, transport)
                transport.say("hello", protocol=2)
                await eventually(lambda: len(engine.stepped(Opened)) == number)  # noqa: B023 - now
            yield engine, node
            for transport in transports:
                transport.hang_up()
        tasks.cancel_scope.cancel()


def names(engine: ScriptedEngine) -> list[ConnectionId]:
    return [given.connection for given in engine.inputs if isinstance(given, Opened)]


def posted(seq: int) -> Posted:
    message = Message(seq, "0" * 16, 0, UserId("u-alice"), "alice", f"message {seq}")
    return Posted(LOBBY, message)


def messages(transport: ScriptedTransport) -> list[object]:
    return [data["message"] for type, data in transport.frames() if type == "new_message"]


async def test_effects_are_performed_in_order() -> None:
    alice = ScriptedTransport()
    async with driving(alice) as (engine, node):
        (name,) = names(engine)
        engine.effects[Tick] = lambda _: [
            Broadcast(LOBBY, posted(1)),
            Attach(name, LOBBY),
            Broadcast(LOBBY, posted(2)),
            Deliver(name, Pinged(7)),
            Broadcast(LOBBY, posted(3)),
            Detach(name, LOBBY),
            Broadcast(LOBBY, posted(4)),
        ]
        node.step(Tick())
        await eventually(lambda: len(alice.sent) == 3)
        assert alice.types() == ["new_message", "ping", "new_message"]
        assert messages(alice) == ["message 2", "message 3"]
        assert alice.calls == [3]


async def test_what_a_room_was_told_before_a_close_is_written_first() -> None:
    alice = ScriptedTransport()
    async with driving(alice) as (engine, node):
        (name,) = names(engine)
        engine.effects[Tick] = lambda _: [
            Attach(name, LOBBY),
            Broadcast(LOBBY, posted(1)),
            Close(name, CloseCode.FORBIDDEN, "go"),
            Broadcast(LOBBY, posted(2)),
        ]
        node.step(Tick())
        await eventually(lambda: alice.closed)
        assert (alice.closed, messages(alice)) == ((4502, "go"), ["message 1"])


async def test_watchers_see_what_is_for_everybody_and_nothing_else() -> None:
    async with driving() as (engine, node):
        events = node.watch(LOBBY)
        engine.effects[Tick] = lambda _: [
            Broadcast(LOBBY, posted(1)),
            Broadcast(LOBBY, posted(2), protocol=1),
            Broadcast(LOBBY, posted(3), without=(ConnectionId("alice"),)),
        ]
        node.step(Tick())
        assert [await anext(events) for _ in range(2)] == [posted(1), posted(3)]
        await events.aclose()
        node.step(Tick())
        assert engine.stepped(Watched) == [Watched(LOBBY)]
        assert engine.stepped(Unwatched) == [Unwatched(LOBBY)]


async def test_an_input_that_comes_while_one_is_judged_waits_for_it() -> None:
    async with driving() as (engine, node):

        def feed_back(given: Input) -> list[Effect]:
            node.step(Connected(ConnectionId("later")))
            seen.append(engine.inputs[-1])
            return []

        seen: list[Input] = []
        engine.effects[Tick] = feed_back
        node.step(Tick())
        assert seen == [Tick()]
        assert engine.inputs == [Tick(), Connected(ConnectionId("later"))]


async def test_an_engine_that_fails_at_a_connections_input_costs_that_connection_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alice, bob = ScriptedTransport(), ScriptedTransport()
    async with driving(alice, bob) as (engine, _):

        def fail(given: Input) -> list[Effect]:
            raise KeyError(given)

        engine.effects[Received] = fail
        alice.say("ping", t=4711)
        await eventually(lambda: alice.closed)
        assert alice.closed == (4004, "internal error: come back")
        await eventually(lambda: len(engine.stepped(Closed)) == 1)
        engine.effects.clear()
        bob.say("ping", t=1)
        await eventually(lambda: len(engine.stepped(Received)) == 2)
        assert engine.stepped(Received)[1] == Received(names(engine)[1], Ping(t=1), more=True)
        assert bob.closed is None
    assert "the engine failed at Received" in caplog.text
    assert "4711" not in caplog.text


async def test_an_engine_that_fails_at_another_input_costs_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alice = ScriptedTransport()
    async with driving(alice) as (engine, node):

        def fail(given: Input) -> list[Effect]:
            raise ZeroDivisionError

        engine.effects[Tick] = fail
        node.step(Tick())
        alice.put("{")
        await eventually(lambda: engine.stepped(Garbled))
        assert alice.closed is None
    assert "the engine failed at Tick" in caplog.text


async def test_an_event_that_cannot_be_encoded_ends_those_who_were_to_get_it() -> None:
    alice, bob, carol = (ScriptedTransport() for _ in range(3))
    async with driving(alice, bob, carol) as (engine, node):
        first, second, third = names(engine)
        hopeless = cast(Advanced, object())
        engine.effects[Tick] = lambda _: [
            Attach(first, LOBBY),
            Broadcast(LOBBY, posted(1)),
            Broadcast(LOBBY, hopeless),
            Deliver(second, hopeless),
            Deliver(third, Pinged(7)),
        ]
        node.step(Tick())
        await eventually(lambda: alice.closed and bob.closed)
        assert alice.closed == bob.closed == (4004, "internal error: come back")
        assert messages(alice) == ["message 1"]
        await carol.data_of("ping")


async def test_an_effect_that_fails_does_not_keep_the_others_from_being_performed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alice = ScriptedTransport()
    async with driving(alice) as (engine, node):
        (name,) = names(engine)
        unheard_of = cast(Effect, object())
        engine.effects[Tick] = lambda _: [unheard_of, Deliver(name, Pinged(7))]
        node.step(Tick())
        await alice.data_of("ping")
    assert "object could not be performed" in caplog.text


async def test_a_deadline_of_this_moment_is_met_before_the_tick_is_handed_out() -> None:
    alice = ScriptedTransport()
    async with driving(alice) as (engine, node):
        (name,) = names(engine)
        seqs = itertools.count(1)

        def say_more(given: Input) -> list[Effect]:
            engine.next_deadline = None
            return [Broadcast(LOBBY, posted(next(seqs)))]

        def say_something(given: Input) -> list[Effect]:
            engine.next_deadline = 0
            return [Attach(name, LOBBY), Broadcast(LOBBY, posted(next(seqs)))]

        engine.effects[Tick] = say_more
        engine.effects[Connected] = say_something
        for number in range(1, 11):  # trio shuffles the tasks that are ready
            node.step(Connected(ConnectionId("somebody")))
            await eventually(lambda: len(alice.sent) == 2 * number)  # noqa: B023 - now
        assert alice.calls == [2] * 10
        assert messages(alice) == [f"message {seq}" for seq in range(1, 21)]


async def test_a_deadline_that_never_moves_does_not_stop_everything() -> None:
    alice = ScriptedTransport()
    async with driving(alice) as (engine, node):
        engine.next_deadline = 0
        node.step(Connected(ConnectionId("somebody")))
        alice.put("{")
        await eventually(lambda: engine.stepped(Garbled))
        engine.next_deadline = None


async def test_a_deadline_is_met_without_any_other_input() -> None:
    async with driving() as (engine, node):

        def done(given: Input) -> list[Effect]:
            engine.next_deadline = None
            return []

        engine.effects[Tick] = done
        engine.next_deadline = int(anyio.current_time() * 1000) + 10
        node.step(Connected(ConnectionId("somebody")))
        await eventually(lambda: engine.stepped(Tick))


async def test_a_protocol_1_connection_is_told_of_trouble_before_it_is_anybody() -> None:
    alice = ScriptedTransport()
    async with driving() as (engine, node), anyio.create_task_group() as tasks:

        def refuse(given: Input) -> list[Effect]:
            assert isinstance(given, Garbled)
            return [Deliver(given.connection, Failure(ErrorCode.BAD_FRAME, given.message))]

        engine.effects[Garbled] = refuse
        tasks.start_soon(serve, node, alice)
        alice.put("{")
        assert (await alice.data_of("error"))["code"] == "bad_frame"
        alice.hang_up()
