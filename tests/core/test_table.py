"""Nothing falls through: every command, input, timer and effect has somebody who handles it."""

from typing import get_args

import pytest

from roomkit.core import commands, effects, engine, inputs, state, storage
from roomkit.core.effects import Effect, FactItem, StoreEffect
from roomkit.core.events import Failure, GapTold, User
from roomkit.core.inputs import Input
from roomkit.core.table import SETTLED, TABLE
from roomkit.core.timers import Timer
from roomkit.errors import CloseCode, ErrorCode
from roomkit.ids import ConnectionId, NodeId, Position, RequestId, RoomId, SessionId, UserId
from roomkit.testing.world import World

LOBBY, NODE, ALICE = RoomId("lobby"), NodeId("n9"), ConnectionId("alice")
NOWHERE = storage.Nonce(NODE, 1)
EVENT = GapTold(LOBBY, "forked")

ONE_OF_EACH_EFFECT: list[Effect] = [
    effects.Deliver(ALICE, EVENT),
    effects.Broadcast(LOBBY, EVENT),
    effects.Attach(ALICE, LOBBY),
    effects.Detach(ALICE, LOBBY),
    effects.Close(ALICE, CloseCode.DRAIN, "restart"),
    effects.Answer(RequestId(1), Failure(ErrorCode.INTERNAL, "")),
    effects.Append(LOBBY, NOWHERE, "", (FactItem(None, b"fact"),), False),
    effects.ReadLog(LOBBY, 0, 10),
    effects.LoadRoom(LOBBY),
    effects.SaveRoom(LOBBY, storage.Snapshot(Position(1, "x"), 1, b""), ()),
    effects.PageMessages(LOBBY, 1, storage.Before(5), 10),
    effects.ReadTips((LOBBY,)),
    effects.Follow(LOBBY),
    effects.Unfollow(LOBBY),
    effects.SendToNodes(LOBBY, b""),
    effects.Renew(NODE, 1_000),
    effects.FindLapsed((NODE,)),
]

USER = User(UserId("u"), "u")
LONG_GONE: list[Input] = [
    inputs.Opened(ALICE, 2, USER, SessionId("s")),
    inputs.Received(ALICE, commands.Ping()),
    inputs.Garbled(ALICE, ErrorCode.BAD_FRAME, ""),
    inputs.Closed(ALICE),
    inputs.Unwatched(LOBBY),
    inputs.Appended(LOBBY, NOWHERE, storage.Behind()),
    inputs.LogRead(LOBBY, 0, None),
    inputs.RoomLoaded(LOBBY, None),
    inputs.RoomSaved(LOBBY, Position(1, "x"), True),
    inputs.MessagesPaged(LOBBY, 1, None),
    inputs.TipsRead((LOBBY,), {}),
    inputs.LeaseRenewed(NODE, True),
    inputs.LapsedFound((NODE,)),
    inputs.Fed(storage.Hint(LOBBY, ())),
    inputs.Fed(storage.StoreSignal(LOBBY, b"")),
    inputs.Fed(storage.Interrupted()),
    inputs.Tick(),
]
"""Inputs about connections, rooms and pages that are no more, or never were."""


def test_every_command_of_a_room_has_a_row() -> None:
    belonging_to_no_room = {commands.Ping, commands.Pong}
    assert set(TABLE) == {
        *set(get_args(commands.Command)) - belonging_to_no_room,
        *get_args(inputs.HostCommand),
        *get_args(state.Wish),
    }


def test_whatever_a_client_or_the_host_may_have_stored_is_answered() -> None:
    asking = {*get_args(commands.Command), *get_args(inputs.HostCommand)}
    assert set(SETTLED) == {kind for kind in asking if kind in TABLE and TABLE[kind].queued}


def test_every_input_has_a_handler() -> None:
    assert set(engine._HANDLERS) == set(get_args(Input))


def test_every_timer_has_a_handler() -> None:
    assert set(engine._TIMERS) == set(Timer)


def test_there_is_one_of_each_effect() -> None:
    assert {type(effect) for effect in ONE_OF_EACH_EFFECT} == set(get_args(Effect))


@pytest.mark.parametrize("effect", ONE_OF_EACH_EFFECT, ids=lambda effect: type(effect).__name__)
def test_the_world_performs_every_effect(effect: Effect) -> None:
    node = World().node()
    node.open("alice", "alice")
    node.pending.clear()
    if isinstance(effect, effects.Detach):
        node.members[LOBBY] = [ALICE]
    node._note(effect)
    assert list(node.pending) == ([effect] if isinstance(effect, get_args(StoreEffect)) else [])
    for pending in list(node.pending):
        node.perform(pending)


@pytest.mark.parametrize("input", LONG_GONE, ids=lambda input: type(input).__name__)
def test_news_of_what_is_gone_is_harmless(input: Input) -> None:
    world = World()
    node = world.node()
    world.settle()
    assert node.step(input) == []


@pytest.mark.parametrize("timer", sorted(set(Timer) - {Timer.LEASE, Timer.TIPS}))
def test_a_timer_of_what_is_gone_is_harmless(timer: Timer) -> None:
    world = World()
    node = world.node()
    world.settle()
    node.engine.state.timers.set(timer, "nobody", 0)
    assert node.tick() == []


@pytest.mark.parametrize("timer", sorted(set(Timer) - {Timer.LEASE, Timer.TIPS, Timer.HEARTBEAT}))
def test_a_timer_that_fires_early_changes_nothing(timer: Timer) -> None:
    """Heartbeats are counted from the last frame, so that one is looked at alone."""
    world = World()
    node = world.node()
    alice = node.open("alice", "alice")
    world.settle()
    node.send(alice, commands.JoinRoom(room="lobby"))
    world.settle()
    for key in ("alice", "s-alice", "u-alice", "lobby"):
        node.engine.state.timers.set(timer, key, 0)
    told = [effect for effect in node.tick() if not isinstance(effect, StoreEffect)]
    closed = timer is Timer.SILENT
    assert [type(effect) for effect in told] == [effects.Close] * closed
    assert LOBBY in node.engine.state.rooms
