"""Connections, the sessions that outlive them, and their users."""

import pytest

from roomkit.core.commands import JoinRoom, Ping, SendMessage
from roomkit.core.effects import Close, Deliver, Effect
from roomkit.core.events import (
    Acked,
    Pinged,
    Ponged,
    ReconnectAdvised,
    RoomJoined,
    RosterChanged,
    User,
    Welcomed,
)
from roomkit.core.inputs import Closed, Connected, Drain, Opened, Received
from roomkit.core.policy import Action
from roomkit.errors import CloseCode, ErrorCode
from roomkit.ids import ConnectionId, RoomId, SessionId, UserId
from roomkit.limits import Limits
from tests.core.chat import Chat, codes, only

ALICE, BOB = ConnectionId("alice"), ConnectionId("bob")


def closes(effects: list[Effect]) -> list[tuple[str, CloseCode]]:
    return [(effect.connection, effect.code) for effect in only(Close, effects)]


def opened(name: str, session: str | None = None, protocol: int = 2, guest: bool = False) -> Opened:
    user = User(UserId(f"u-{name}"), name, guest)
    return Opened(ConnectionId(name), protocol, user, SessionId(session or f"s-{name}"))


def test_protocol_2_is_welcomed_and_protocol_1_is_not() -> None:
    chat = Chat()
    chat.step(Connected(ALICE))
    chat.node.received[ALICE] = []
    (told,) = chat.step(opened("alice"))
    start = chat.world.clock.now().wall
    user = User(UserId("u-alice"), "alice")
    assert told == Deliver(ALICE, Welcomed(user, SessionId("s-alice"), False, start))
    chat.step(Connected(BOB))
    assert chat.step(opened("bob", protocol=1)) == []


def test_opening_twice_or_without_connecting_does_nothing() -> None:
    chat = Chat()
    assert chat.step(opened("alice")) == []
    chat.open("alice")
    assert chat.step(opened("alice", session="s-2")) == []
    assert set(chat.node.engine.state.sessions) == {"s-alice"}


def test_closing_twice_does_nothing() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.drop(alice)
    assert chat.step(Closed(alice)) == []


def test_a_connection_that_says_nothing_is_closed_after_ten_minutes() -> None:
    chat = Chat()
    chat.step(Connected(ALICE))
    chat.advance(599_999)
    assert chat.node.closes == {}
    chat.advance(1)
    assert chat.node.closes == {ALICE: CloseCode.DRAIN}


def test_what_has_not_been_opened_commands_nothing() -> None:
    chat = Chat()
    chat.step(Connected(ALICE))
    chat.node.received[ALICE] = []
    assert chat.step(Received(ALICE, JoinRoom(room="lobby"))) == []


def test_the_eleventh_connection_of_a_user_is_refused() -> None:
    chat = Chat(Limits(connections_per_user=2))
    chat.open("one", "alice")
    chat.open("two", "alice", session="s")
    chat.open("three", "alice")
    assert chat.node.closes == {"three": CloseCode.CONNECTION_LIMIT}
    chat.open("four", "alice", session="s")
    assert chat.node.closes == {
        "three": CloseCode.CONNECTION_LIMIT,
        "two": CloseCode.SESSION_REPLACED,
    }


def test_connections_that_ended_do_not_count() -> None:
    chat = Chat(Limits(connections_per_user=1))
    for number in range(3):
        chat.drop(chat.open(f"c{number}", "alice"))
    assert chat.node.closes == {}


def test_a_session_of_somebody_else_is_not_handed_over() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    mallory = chat.open("mallory", session="s-alice")
    assert codes(chat.send(mallory, SendMessage(room="lobby", message="I am alice"))) == [
        ErrorCode.NOT_JOINED
    ]
    assert chat.room().holds(UserId("u-alice"), SessionId("s-alice"), chat.node.engine.node)
    assert ALICE not in chat.node.closes
    chat.drop(ALICE)
    chat.advance(15_000)
    assert chat.room().roster == {}, "alice's own session has its own grace"


def test_a_session_presented_in_time_is_resumed() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    chat.drop(ALICE)
    chat.advance(14_999)
    again = chat.node.open("again", "alice", session="s-alice")
    (welcomed,) = only(Welcomed, chat.node.take(again))
    assert welcomed.resumed


def test_a_session_presented_too_late_is_new() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    chat.drop(ALICE)
    chat.advance(15_000)
    again = chat.node.open("again", "alice", session="s-alice")
    (welcomed,) = only(Welcomed, chat.node.take(again))
    assert not welcomed.resumed


def test_a_drop_shorter_than_the_grace_shows_neither_leave_nor_join() -> None:
    """Law 8."""
    chat = Chat(Limits(heartbeat_ms=600_000))
    bob = chat.open("bob")
    chat.join(bob)
    chat.join(chat.open("alice"))
    chat.take(bob)
    connection = ALICE
    for number in range(4):
        chat.drop(connection)
        chat.advance(14_000)
        connection = chat.open(f"alice-{number}", "alice", session="s-alice")
        chat.join(connection)
    chat.advance(60_000)
    assert only(RosterChanged, chat.take(bob)) == []


def test_a_room_is_left_after_the_grace_even_if_joining_it_again_was_refused_late() -> None:
    """Two secrets: a room not joined again within the grace is left."""
    refused: set[Action] = set()

    def policy(user: User, room: RoomId, action: Action) -> bool:
        return user.username != "alice" or action not in refused

    chat = Chat(Limits(heartbeat_ms=600_000, unanswered_ms=60_000), policy)
    bob = chat.open("bob")
    chat.join(bob)
    chat.join(chat.open("alice"))
    chat.drop(ALICE)
    again = chat.open("again", "alice", session="s-alice")
    chat.hold = True
    chat.node.send(bob, SendMessage(room="lobby", message="the store is slow"))
    chat.node.send(again, JoinRoom(room="lobby", ref="1"))
    chat.world.clock.move_to(15_000)
    chat.node.tick()
    refused.add(Action.JOIN)
    chat.settle()
    assert codes(chat.take(again)) == [ErrorCode.FORBIDDEN]
    chat.advance(15_000)
    assert set(chat.room().roster) == {"u-bob"}


@pytest.mark.parametrize("protocol", [1, 2])
def test_what_is_left_of_a_connection_after_it_all_is_nothing(protocol: int) -> None:
    chat = Chat(Limits(joins_burst=100))
    for number in range(50):
        name = f"user-{number}"
        connection = chat.open(name, protocol=protocol)
        chat.join(connection)
        chat.say(connection, "hello")
        chat.drop(connection)
    chat.advance(15_000 + 60_000 + 60_000)
    state = chat.node.engine.state
    assert (state.connections, state.sessions, state.users, state.rooms) == ({}, {}, {}, {})
    assert state.waiting == 0
    assert {timer.value for timer, _ in state.timers._table} == {"lease"}


def test_a_user_is_remembered_until_the_pacing_debt_is_paid() -> None:
    chat = Chat(Limits(messages_per_s=1, messages_burst=5, presence_grace_ms=1))
    alice = chat.open("alice")
    chat.join(alice)
    for number in range(5):
        chat.say(alice, str(number))
    chat.drop(alice)
    chat.advance(1_000)
    again = chat.open("again", "alice")
    chat.join(again)
    assert codes(chat.say(again, "six")) == []
    assert codes(chat.say(again, "seven")) == [ErrorCode.RATE_LIMITED]
    chat.drop(again)
    chat.advance(10_000)
    assert chat.node.engine.state.users == {}


def test_draining_sends_everybody_away_with_advice() -> None:
    chat = Chat()
    chat.open("alice")
    chat.open("bob", protocol=1)
    chat.step(Connected(ConnectionId("silent")))
    told = chat.step(Drain("restart"))
    assert [effect.event for effect in only(Deliver, told)] == [
        ReconnectAdvised(0, 5_000, "restart")
    ]
    assert closes(told) == [(name, CloseCode.DRAIN) for name in ("alice", "bob", "silent")]
    late = chat.step(Connected(ConnectionId("late")))
    assert closes(late) == [("late", CloseCode.DRAIN)]
    assert chat.step(opened("late")) == []


def test_a_drained_protocol_1_session_does_not_leave_its_room() -> None:
    """A draining node sets its lease to the grace instead of leaving (rule 10)."""
    chat = Chat()
    chat.join(chat.open("alice", protocol=1))
    chat.step(Drain("restart"))
    chat.drop(ALICE)
    chat.advance(14_999)
    assert set(chat.room().roster) == {"u-alice"}


def test_what_a_closing_connection_sends_is_ignored() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.step(Drain("restart"))
    chat.take(alice)
    assert chat.say(alice, "too late") == []
    assert chat.send(alice, Ping(t=1, ref="r")) == []


def test_any_frame_puts_the_heartbeat_off() -> None:
    chat = Chat()
    alice = chat.open("alice")
    for _ in range(10):
        chat.advance(24_000)
        assert only(Pinged, chat.take(alice)) == []
        assert [type(event) for event in chat.send(alice, Ping(t=1))] == [Ponged]
    chat.advance(25_000)
    assert len(only(Pinged, chat.take(alice))) == 1
    chat.advance(9_999)
    chat.send(alice, Ping())
    chat.advance(24_999)
    assert chat.node.closes == {}


def test_a_quiet_connection_is_pinged_once_and_then_given_up() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.open("bob", protocol=1)
    chat.advance(34_999)
    assert (len(only(Pinged, chat.take(alice))), chat.node.closes) == (1, {})
    chat.advance(1)
    assert chat.node.closes == {ALICE: CloseCode.HEARTBEAT_TIMEOUT}
    chat.advance(600_000)
    assert chat.take(alice) == []


def test_a_guests_name_is_fixed_while_in_a_room_whatever_a_new_connection_says() -> None:
    chat = Chat()
    user = UserId("g1")
    one = chat.node.open("one", "alice", user_id=user, guest=True)
    chat.homes[one] = chat.node
    chat.join(one)
    two = chat.node.open("two", "mallory", user_id=user, guest=True)
    chat.homes[two] = chat.node
    (welcomed,) = only(Welcomed, chat.take(two))
    assert welcomed.user.username == "alice"
    (joined,) = only(RoomJoined, chat.join(two))
    assert [occupant.username for occupant in joined.occupants] == ["alice"]


def test_a_guest_in_no_room_may_take_another_name() -> None:
    chat = Chat()
    user = UserId("g1")
    chat.node.open("one", "alice", user_id=user, guest=True)
    two = chat.node.open("two", "bob", user_id=user, guest=True)
    (welcomed,) = only(Welcomed, chat.node.take(two))
    assert welcomed.user == User(user, "bob", True)


def test_the_host_may_rename_its_users() -> None:
    chat = Chat()
    user = UserId("u1")
    one = chat.node.open("one", "alice", user_id=user)
    chat.homes[one] = chat.node
    chat.join(one)
    two = chat.node.open("two", "Alice Smith", user_id=user)
    (welcomed,) = only(Welcomed, chat.node.take(two))
    assert welcomed.user == User(user, "Alice Smith")


def test_messages_sent_before_a_drop_are_written() -> None:
    chat = Chat()
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    chat.hold = True
    chat.say(bob, "the store is slow")
    chat.say(alice, "before the drop")
    chat.drop(alice)
    chat.settle()
    said = [message.text for message in chat.served().history.messages]
    assert said == ["the store is slow", "before the drop"]
    assert set(chat.room().roster) == {"u-alice", "u-bob"}


def test_a_connection_being_closed_is_sent_nothing_more_and_closed_once() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    chat.say(alice, "hello")
    chat.step(Drain("restart"))
    chat.take(alice)
    chat.settle()
    assert only(Acked, chat.take(alice)) == []
    assert closes(chat.step(Drain("restart"))) == []
