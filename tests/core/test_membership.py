"""Entering and leaving rooms."""

import pytest

from roomkit.core.commands import JoinRoom, LeaveRoom, SendMessage
from roomkit.core.effects import Append, LoadRoom
from roomkit.core.events import (
    Failure,
    Posted,
    RoomJoined,
    RoomLeft,
    RosterChanged,
)
from roomkit.core.inputs import Appended
from roomkit.core.storage import Behind
from roomkit.errors import ErrorCode
from roomkit.ids import ConnectionId, Position
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, codes, only

QUIET = Limits(heartbeat_ms=600_000)


def names(joined: RoomJoined) -> list[str]:
    return [occupant.username for occupant in joined.occupants]


def load(chat: Chat) -> None:
    """Perform what waits up to the first append."""
    while not chat.waiting(Append):
        chat.node.perform(chat.node.pending.popleft())


def test_a_guest_must_have_a_name() -> None:
    chat = Chat()
    guest = chat.open("guest", "", guest=True)
    (told,) = chat.send(guest, JoinRoom(room="lobby", ref="1"))
    assert told == Failure(
        ErrorCode.BAD_ARGUMENT, "username is missing: send data.username", "1", "lobby"
    )


def test_a_name_that_is_not_fit_is_refused() -> None:
    chat = Chat()
    guest = chat.open("guest", "", guest=True)
    told = chat.send(guest, JoinRoom(room="lobby", username="al\u202eice", ref="1"))
    assert codes(told) == [ErrorCode.BAD_ARGUMENT]


def test_a_user_the_host_vouches_for_keeps_the_name() -> None:
    chat = Chat()
    alice = chat.open("alice")
    (joined,) = only(RoomJoined, chat.send(alice, JoinRoom(room="lobby", username="mallory")))
    assert names(joined) == ["alice"]


def test_rooms_joined_at_once_are_joined_under_one_name() -> None:
    chat = Chat()
    guest = chat.open("guest", "", guest=True)
    chat.hold = True
    chat.node.send(guest, JoinRoom(room="lobby", username="alice"))
    chat.node.send(guest, JoinRoom(room="garden", username="bob"))
    chat.settle()
    assert [names(joined) for joined in only(RoomJoined, chat.take(guest))] == [["alice"]] * 2


def test_a_join_nobody_waited_for_any_more_is_left_again() -> None:
    chat = Chat(QUIET)
    alice = chat.open("alice")
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="lobby", ref="1"))
    load(chat)
    chat.world.clock.move_to(10_000)
    chat.node.tick()
    assert codes(chat.take(alice)) == [ErrorCode.UNAVAILABLE]
    chat.settle()
    assert chat.take(alice) == []
    assert chat.room().roster == {}


def test_a_join_sent_again_after_the_first_went_unanswered_has_the_name_asked_for() -> None:
    """Law 12 answers both; the log has one session, under the name the guest wished."""
    chat = Chat(QUIET)
    guest = chat.open("guest", "", guest=True)
    chat.hold = True
    chat.node.send(guest, JoinRoom(room="lobby", username="alice", ref="1"))
    load(chat)
    chat.world.clock.move_to(10_000)
    chat.node.tick()
    assert codes(chat.take(guest)) == [ErrorCode.UNAVAILABLE]
    chat.node.send(guest, JoinRoom(room="lobby", username="alice", ref="2"))
    chat.settle()
    (joined,) = only(RoomJoined, chat.take(guest))
    assert (joined.ref, names(joined)) == ("2", ["alice"])
    (posted,) = only(Posted, chat.say(guest, "hello"))
    assert posted.message.username == "alice"


def test_a_connection_is_in_so_many_rooms_at_most() -> None:
    chat = Chat(Limits(rooms_per_connection=2))
    alice = chat.open("alice")
    for room in ("a", "b"):
        chat.join(alice, room)
    (told,) = chat.join(alice, "c")
    assert told == Failure(
        ErrorCode.BAD_ARGUMENT,
        "you are in 2 rooms, the most there may be: leave one",
        None,
        "c",
    )
    assert codes(chat.join(alice, "a")) == [], "joining a joined room is none more"
    chat.send(alice, LeaveRoom(room="a"))
    assert codes(chat.join(alice, "c")) == []


def test_joining_many_rooms_at_once_does_not_get_round_that() -> None:
    """Numbers: rooms per connection 100."""
    chat = Chat(Limits(rooms_per_connection=2))
    alice = chat.open("alice")
    chat.hold = True
    for room in ("a", "b", "c", "d"):
        chat.node.send(alice, JoinRoom(room=room, ref=room))
    chat.settle()
    told = chat.take(alice)
    assert len(only(RoomJoined, told)) == 2
    assert codes(told) == [ErrorCode.BAD_ARGUMENT] * 2


def test_joining_a_joined_room_answers_again() -> None:
    chat = Chat()
    alice = chat.open("alice")
    first = chat.send(alice, JoinRoom(room="lobby", ref="1"))
    again = chat.send(alice, JoinRoom(room="lobby", ref="2"))
    assert [type(event) for event in first] == [type(event) for event in again] == [RoomJoined]
    posted = only(Posted, chat.say(alice, "hello"))
    assert len(posted) == 1, "and attaches only once"


@pytest.mark.parametrize(("history", "expected"), [(0, 0), (2, 2), (50, 25), (None, 20)])
def test_a_joiner_may_say_how_much_history(history: int | None, expected: int) -> None:
    chat = Chat(Limits(messages_burst=100))
    alice = chat.open("alice")
    chat.join(alice)
    for number in range(25):
        chat.say(alice, str(number))
    chat.take(alice)
    (joined,) = only(RoomJoined, chat.send(alice, JoinRoom(room="lobby", history=history)))
    assert [message.text for message in joined.messages] == (
        [str(number) for number in range(25 - expected, 25)]
    )
    assert joined.has_before == (expected < 25)


def test_more_history_than_the_window_is_a_bad_argument() -> None:
    chat = Chat()
    alice = chat.open("alice")
    (told,) = chat.send(alice, JoinRoom(room="lobby", history=51, ref="1"))
    assert told == Failure(ErrorCode.BAD_ARGUMENT, "history must be from 0 to 50", "1", "lobby")
    assert chat.node.engine.state.rooms == {}


def test_a_leave_waits_for_the_join_before_it_and_a_join_for_the_leave() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="lobby", ref="1"))
    chat.node.send(alice, LeaveRoom(room="lobby", ref="2"))
    chat.node.send(alice, JoinRoom(room="lobby", ref="3"))
    chat.settle()
    told = chat.take(alice)
    assert [type(event) for event in told] == [RoomJoined, RoomLeft, RoomJoined]
    assert [getattr(event, "ref", None) for event in told] == ["1", "2", "3"]


def test_a_session_dropped_while_its_join_is_in_flight_stays_for_the_grace() -> None:
    chat = Chat(QUIET)
    alice = chat.open("alice")
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="lobby"))
    load(chat)
    chat.drop(alice)
    chat.settle()
    assert set(chat.room().roster) == {"u-alice"}
    chat.advance(15_000)
    assert chat.room().roster == {}


def test_a_protocol_1_session_dropped_while_its_join_is_in_flight_leaves() -> None:
    chat = Chat()
    alice = chat.open("alice", protocol=1)
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="lobby"))
    load(chat)
    chat.drop(alice)
    chat.settle()
    assert chat.room().roster == {}
    assert chat.served().sessions == {}


def test_a_connection_dropped_before_its_join_was_judged_joins_nothing() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="lobby"))
    chat.drop(alice)
    chat.settle()
    assert chat.log() == []


def test_a_dropped_session_that_waited_to_leave_leaves_once() -> None:
    chat = Chat()
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    chat.take(bob)
    chat.hold = True
    chat.say(bob, "the store is slow")
    chat.node.send(alice, LeaveRoom(room="lobby"))
    chat.drop(alice)
    chat.settle()
    chat.advance(15_000)
    (changed,) = only(RosterChanged, chat.take(bob))
    assert [departed.username for departed in changed.left] == ["alice"]


def test_a_name_given_up_by_a_dropped_protocol_1_guest_is_free_at_once() -> None:
    chat = Chat()
    one = chat.open("one", "", guest=True, protocol=1)
    chat.send(one, JoinRoom(room="lobby", username="alice"))
    two = chat.open("two", "", guest=True, protocol=1)
    chat.drop(one)
    told = chat.send(two, JoinRoom(room="lobby", username="alice"))
    assert len(only(RoomJoined, told)) == 1


def test_protocol_1_commands_mean_the_room_being_joined() -> None:
    chat = Chat()
    alice = chat.open("alice", protocol=1)
    chat.join(alice)
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="garden"))
    chat.node.send(alice, SendMessage(message="hello"))
    chat.settle()
    assert [message.text for message in chat.served("garden").history.messages] == ["hello"]


def test_a_refused_protocol_1_join_changes_nothing() -> None:
    chat = Chat()
    first = chat.open("first")
    chat.join(first, "garden")
    alice = chat.open("alice", "", protocol=1, guest=True)
    chat.send(alice, JoinRoom(room="lobby", username="first"))
    told = chat.send(alice, JoinRoom(room="garden"))
    assert codes(told) == [ErrorCode.USERNAME_TAKEN]
    chat.send(alice, SendMessage(message="still here"))
    assert [message.text for message in chat.served("lobby").history.messages] == ["still here"]


def test_a_message_refused_while_a_join_is_unanswered_does_not_redirect_the_next() -> None:
    """Protocol 1: commands without a room mean the newest unanswered join, whatever was refused."""
    chat = Chat(Limits(waiting_per_room=2))
    alice = chat.open("alice", protocol=1)
    chat.join(alice)
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="garden"))
    chat.node.send(alice, SendMessage(message="one"))
    chat.node.send(alice, SendMessage(message="too many wait"))
    assert codes(chat.take(alice)) == [ErrorCode.OVERLOADED]
    while chat.waiting(LoadRoom):
        chat.node.perform(chat.node.pending.popleft())
    chat.node.send(alice, SendMessage(message="two"))
    chat.settle()
    assert [message.text for message in chat.served("lobby").history.messages] == []


# Resume


def talk(chat: Chat, count: int) -> list[Position]:
    """Alice joins and says so much; the position after each."""
    alice = chat.open("alice")
    chat.join(alice)
    positions = [chat.room().tip]
    for number in range(count):
        chat.say(alice, str(number))
        positions.append(chat.room().tip)
    return positions


def resumed(chat: Chat, since: Position) -> tuple[RoomJoined, list[str]]:
    told = chat.send(ConnectionId("alice"), JoinRoom(room="lobby", since=since, history=0))
    (joined,) = only(RoomJoined, told)
    return joined, [event.message.text for event in only(Posted, told)]


def test_what_is_replayed_is_exactly_what_followed() -> None:
    chat = Chat(Limits(messages_burst=100))
    positions = talk(chat, 6)
    chat.take(ConnectionId("alice"))
    for index, since in enumerate(positions):
        joined, texts = resumed(chat, since)
        assert (joined.recovered, joined.position) == (True, since)
        assert (joined.messages, joined.occupants, joined.total) == ((), (), 0)
        assert texts == [str(number) for number in range(index, 6)]


def test_too_many_bytes_are_a_replay_limit_as_too_many_entries_are() -> None:
    """Resume: at most 500 entries and 256 KiB; the log still holds what is asked for."""
    chat = Chat(Limits(replay_bytes=3_000, messages_burst=100))
    positions = talk(chat, 20)
    joined, texts = resumed(chat, positions[2])
    assert (joined.recovered, joined.gap_reason, joined.gap_from) == (
        False,
        "replay_limit",
        positions[2].seq + 1,
    )
    assert texts == []


@pytest.mark.parametrize("back", [0, 1, 5])
def test_a_room_loaded_again_still_continues_positions_its_log_holds(back: int) -> None:
    """Resume: recovered if the log still holds the entry; also after a restart, on any node."""
    chat = Chat(Limits(messages_burst=100, heartbeat_ms=600_000))
    positions = talk(chat, 6)
    alice = ConnectionId("alice")
    chat.send(alice, LeaveRoom(room="lobby"))
    left = chat.room().tip
    chat.advance(60_000)
    assert chat.node.engine.state.rooms == {}
    since = [left, *reversed(positions)][back]
    chat.take(alice)
    joined, texts = resumed(chat, since)
    assert (joined.recovered, joined.position) == (True, since)
    assert texts == [str(number) for number in range(len(positions) - back, 6)][: max(0, back)]


def test_a_node_that_just_loaded_the_room_continues_positions_given_by_another() -> None:
    chat = Chat(Limits(messages_burst=100, snapshot_every=4), nodes=2)
    positions = talk(chat, 6)
    bob = chat.open("bob", node=chat.nodes[1])
    told = chat.send(bob, JoinRoom(room="lobby", since=positions[1]))
    (joined,) = only(RoomJoined, told)
    assert (joined.recovered, joined.position) == (True, positions[1])
    assert [event.message.text for event in only(Posted, told)] == ["1", "2", "3", "4", "5"]


def test_a_leave_the_store_found_behind_is_tried_again() -> None:
    chat = Chat()
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    chat.hold = True
    chat.node.send(alice, LeaveRoom(room="lobby", ref="1"))
    (append,) = chat.waiting(Append)
    chat.node.pending.remove(append)
    chat.node.step(Appended(LOBBY, append.nonce, Behind()))
    chat.settle()
    assert only(RoomLeft, chat.take(alice)) == [RoomLeft(LOBBY, "1", "left")]
    assert set(chat.room().roster) == {"u-bob"}


def test_a_protocol_1_join_overtaken_by_a_later_one_is_not_made() -> None:
    chat = Chat()
    alice, bob = chat.open("alice", protocol=1), chat.open("bob")
    chat.join(bob)
    chat.hold = True
    chat.say(bob, "the store is slow")
    chat.node.send(alice, JoinRoom(room="lobby"))
    chat.node.send(alice, JoinRoom(room="garden"))
    for effect in [one for one in chat.node.pending if getattr(one, "room", "") == "garden"]:
        chat.node.pending.remove(effect)
        chat.node.perform(effect)
    append = chat.waiting(Append)[-1]
    assert append.room == "garden"
    chat.node.pending.remove(append)
    chat.node.perform(append)
    chat.settle()
    assert set(chat.room("garden").roster) == {"u-alice"}
    assert set(chat.room("lobby").roster) == {"u-bob"}
