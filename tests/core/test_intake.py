"""From a frame to a room: what is answered before any room is asked."""

import pytest

from roomkit.core.commands import (
    Command,
    GetHistory,
    JoinRoom,
    LeaveRoom,
    Ping,
    Pong,
    SendMessage,
    TypingStart,
)
from roomkit.core.events import Acked, Failure, Ponged, RoomJoined
from roomkit.core.inputs import Connected, Garbled, HostPost
from roomkit.errors import CloseCode, ErrorCode
from roomkit.ids import ConnectionId, RoomId
from roomkit.limits import Limits
from tests.core.chat import Chat, codes, only

ALICE = ConnectionId("alice")


def test_a_ping_is_answered_with_its_own_t() -> None:
    chat = Chat()
    alice = chat.open("alice")
    wall = chat.world.clock.now().wall
    assert chat.send(alice, Ping(t=7, ref="1")) == [Ponged(7, "1", wall)]
    assert chat.send(alice, Ping()) == [Ponged(None, None, wall)]


def test_a_pong_needs_no_answer_but_to_its_ref() -> None:
    """Rule 6: a frame with `ref` gets exactly one answer, `ack` where the table names no other."""
    chat = Chat()
    alice = chat.open("alice")
    assert chat.send(alice, Pong(t=7)) == []
    assert chat.send(alice, Pong(t=7, ref="1")) == [Acked("1")]


@pytest.mark.parametrize(
    "command",
    [
        SendMessage(message="hello", ref="1"),
        TypingStart(ref="1"),
        LeaveRoom(ref="1"),
    ],
)
def test_protocol_2_says_which_room(command: Command) -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    assert chat.send(alice, command) == [
        Failure(ErrorCode.BAD_ARGUMENT, "room is missing: send data.room", "1")
    ]


@pytest.mark.parametrize("room", ["", "  ", "x" * 129, "a\nb", " lobby"])
def test_a_room_name_that_is_not_fit_is_refused(room: str) -> None:
    chat = Chat()
    alice = chat.open("alice")
    for command in (JoinRoom(room=room, ref="1"), GetHistory(room=room, ref="1")):
        (told,) = chat.send(alice, command)
        assert isinstance(told, Failure)
        assert (told.code, told.ref) == (ErrorCode.BAD_ARGUMENT, "1")
    assert isinstance(chat.ask(HostPost(RoomId(room), "hello")), Failure)
    assert chat.node.engine.state.rooms == {}


def test_a_command_before_joining_is_refused_whether_or_not_the_room_is_served() -> None:
    chat = Chat()
    alice = chat.open("alice")
    refused = Failure(
        ErrorCode.NOT_JOINED, "you are not in this room: send join_room first", "hello", "lobby"
    )
    assert chat.say(alice, "hello") == [refused]
    chat.join(chat.open("bob"))
    assert chat.say(alice, "hello") == [refused]


def test_a_ref_means_nothing_in_protocol_1() -> None:
    chat = Chat()
    alice = chat.open("alice", protocol=1)
    (joined,) = only(RoomJoined, chat.send(alice, JoinRoom(room="lobby", ref="1")))
    assert joined.ref is None
    assert only(Acked, chat.send(alice, SendMessage(message="hello", ref="2"))) == []
    (told,) = chat.send(alice, SendMessage(message=" ", ref="3"))
    assert isinstance(told, Failure)
    assert told.ref is None
    garbled = Garbled(alice, ErrorCode.UNKNOWN_TYPE, "no such type", ref="4")
    chat.step(garbled)
    assert chat.take(alice) == [Failure(ErrorCode.UNKNOWN_TYPE, "no such type")]


def test_a_garbled_frame_is_answered_and_the_connection_stays() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.step(Garbled(alice, ErrorCode.BAD_FRAME, "this is no JSON", "1", "lobby"))
    assert chat.take(alice) == [Failure(ErrorCode.BAD_FRAME, "this is no JSON", "1", "lobby")]
    assert chat.node.closes == {}


def test_a_garbled_first_frame_is_answered_too() -> None:
    chat = Chat()
    chat.step(Connected(ALICE))
    chat.node.received[ALICE] = []
    chat.step(Garbled(ALICE, ErrorCode.BAD_FRAME, "this is no JSON"))
    assert codes(chat.node.take(ALICE)) == [ErrorCode.BAD_FRAME]


def test_too_many_frames_are_refused_and_a_hundred_in_a_row_close_the_connection() -> None:
    chat = Chat()
    alice = chat.open("alice")
    told = [event for _ in range(299) for event in chat.send(alice, Ping(ref="1"))]
    assert [type(event) for event in told] == [Ponged] * 200 + [Failure] * 99
    assert only(Failure, told)[0] == Failure(
        ErrorCode.RATE_LIMITED, "too many frames: at most 20 a second; wait 50 ms", "1", None, 50
    )
    assert chat.node.closes == {}
    assert chat.send(alice, Ping(ref="1")) == []
    assert chat.node.closes == {alice: CloseCode.TOO_MANY_FRAMES}


def test_a_frame_accepted_between_begins_the_hundred_anew() -> None:
    chat = Chat(Limits(frames_burst=1, frames_refused=3))
    alice = chat.open("alice")
    for _ in range(5):
        told = [chat.send(alice, Ping(ref="1")) for _ in range(3)]
        assert [type(event) for (event,) in told] == [Ponged, Failure, Failure]
        chat.advance(50)
    assert chat.node.closes == {}


def test_garbled_frames_count_as_frames() -> None:
    chat = Chat(Limits(frames_burst=1, frames_refused=3))
    alice = chat.open("alice")
    for _ in range(4):
        chat.step(Garbled(alice, ErrorCode.BAD_FRAME, "this is no JSON"))
    assert codes(chat.take(alice)) == [
        ErrorCode.BAD_FRAME,
        ErrorCode.RATE_LIMITED,
        ErrorCode.RATE_LIMITED,
    ]
    assert chat.node.closes == {alice: CloseCode.TOO_MANY_FRAMES}


def test_a_bucket_belongs_to_the_user_and_outlives_the_connection() -> None:
    chat = Chat(Limits(messages_per_s=1, messages_burst=2))
    alice = chat.open("alice")
    chat.join(alice)
    for text in "ab":
        assert codes(chat.say(alice, text)) == []
    chat.drop(alice)
    again = chat.open("again", "alice")
    chat.join(again)
    assert codes(chat.say(again, "c")) == [ErrorCode.RATE_LIMITED]


def test_coming_back_is_not_paced() -> None:
    chat = Chat(Limits(joins_burst=1))
    alice = chat.open("alice", session="s")
    chat.join(alice)
    chat.join(chat.open("bob"), "garden")
    since = chat.room().tip
    assert codes(chat.join(alice, "garden")) == [ErrorCode.RATE_LIMITED]
    chat.drop(alice)
    again = chat.open("again", "alice", session="s")
    assert codes(chat.join(again)) == []
    assert codes(chat.send(again, JoinRoom(room="garden", since=since))) == []


def test_nobody_comes_back_to_a_room_that_is_none() -> None:
    """Every room takes room in the store: a position makes none for free."""
    chat = Chat(Limits(joins_burst=2))
    alice = chat.open("alice")
    chat.join(alice)
    since = chat.room().tip
    assert codes(chat.send(alice, JoinRoom(room="garden", since=since))) == []
    assert codes(chat.send(alice, JoinRoom(room="attic", since=since))) == [ErrorCode.RATE_LIMITED]
    assert chat.send(alice, JoinRoom(room="garden", since=since)) != []


def test_a_refused_join_takes_nothing_from_the_bucket() -> None:
    chat = Chat(Limits(joins_burst=1, username_chars=5))
    chat.join(chat.open("alice"))
    guest = chat.open("guest", "", guest=True)
    for name in ("alice", "Alice", "too long a name", ""):
        assert codes(chat.send(guest, JoinRoom(room="lobby", username=name))) != []
    assert codes(chat.send(guest, JoinRoom(room="lobby", username="bob"))) == []
