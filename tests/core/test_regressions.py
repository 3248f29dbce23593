"""What random lives of whole nodes (tests/property) once found wrong, each as small as it goes.

Here is what concerns commands and people; what concerns the log is in `test_regressions_log`.
"""

from roomkit.core.commands import (
    GetHistory,
    JoinRoom,
    LeaveRoom,
    Ping,
    Pong,
    SendMessage,
    TypingStart,
)
from roomkit.core.effects import Append, PageMessages
from roomkit.core.events import (
    Acked,
    HistoryListed,
    OccupancyCounted,
    Ponged,
    Posted,
    RoomJoined,
    TypingStarted,
    TypingStopped,
)
from roomkit.core.inputs import Fed, HostKick, HostPost, Input, Watched
from roomkit.core.signals import TypingSignal, encode
from roomkit.core.storage import StoreSignal
from roomkit.core.timers import Timer
from roomkit.errors import ErrorCode
from roomkit.ids import Position, UserId
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, codes, only


def test_every_ref_is_answered_even_that_of_a_pong() -> None:
    chat = Chat()
    alice = chat.open("alice")
    assert chat.send(alice, Pong(ref="r-1")) == [Acked("r-1")]
    assert chat.send(alice, Pong()) == []
    assert only(Ponged, chat.send(alice, Ping(ref="r-2")))[0].ref == "r-2"


def test_a_refused_protocol_1_join_leaves_it_heading_where_it_was() -> None:
    chat = Chat(Limits(waiting_per_room=2))
    alice, bob = chat.open("alice", protocol=1), chat.open("bob")
    chat.hold = True
    chat.send(bob, JoinRoom(room="garden"))
    chat.send(bob, JoinRoom(room="garden"))
    chat.send(alice, JoinRoom(room="lobby"))
    refused = chat.send(alice, JoinRoom(room="garden"))
    assert codes(refused) == [ErrorCode.OVERLOADED]
    chat.send(alice, SendMessage(message="hello"))
    chat.settle()
    assert [posted.room for posted in only(Posted, chat.take(alice))] == [LOBBY]


def test_a_join_that_may_not_wait_loads_no_room() -> None:
    chat = Chat(Limits(waiting_per_node=1))
    alice = chat.open("alice")
    chat.hold = True
    chat.send(alice, JoinRoom(room="lobby"))
    assert codes(chat.send(alice, JoinRoom(room="garden"))) == [ErrorCode.OVERLOADED]
    assert list(chat.node.engine.state.rooms) == [LOBBY]


def test_of_two_protocol_1_joins_the_later_wins_whichever_is_answered_first() -> None:
    chat = Chat()
    alice = chat.open("alice", protocol=1)
    chat.hold = True
    chat.send(alice, JoinRoom(room="lobby"))
    lobby = list(chat.node.pending)
    chat.node.pending.clear()
    chat.send(alice, JoinRoom(room="garden"))
    chat.node.settle()
    chat.node.pending.extend(lobby)
    chat.settle()
    assert list(chat.served("garden").members) == [alice]
    assert not chat.served("lobby").members
    assert not chat.room("lobby").roster


def test_who_came_back_and_whose_join_stays_unanswered_leaves_all_the_same() -> None:
    chat = Chat(Limits(presence_grace_ms=5_000, unanswered_ms=20_000, heartbeat_ms=60_000))
    chat.join(chat.open("first", "alice", session="tab"))
    chat.hold = True
    chat.send(chat.open("other", "bob"), JoinRoom(room="lobby"))
    again = chat.open("again", "alice", session="tab")
    chat.send(again, JoinRoom(room="lobby", since=Position(1, "0" * 16)))
    chat.world.clock.move_to(5_000)
    chat.node.tick()
    assert (Timer.GRACE, "tab") in chat.node.engine.state.timers


def test_typing_that_waited_is_not_shown_for_longer_because_of_it() -> None:
    chat = Chat(Limits(typing_resend_ms=1_000, typing_expiry_ms=3_000))
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(bob)
    chat.hold = True
    chat.send(alice, JoinRoom(room="lobby"))
    chat.send(alice, TypingStart(room="lobby"))
    chat.world.clock.move_to(2_000)
    chat.settle()
    assert len(only(TypingStarted, chat.take(bob))) == 1
    chat.advance(999)
    assert not only(TypingStopped, chat.take(bob))
    chat.advance(1)
    assert len(only(TypingStopped, chat.take(bob))) == 1


def test_typing_of_a_connection_that_has_gone_is_not_shown() -> None:
    chat = Chat()
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(bob)
    chat.hold = True
    chat.send(alice, JoinRoom(room="lobby"))
    chat.send(alice, TypingStart(room="lobby"))
    chat.drop(alice)
    chat.settle()
    assert not only(TypingStarted, chat.take(bob))


def test_typing_from_before_a_kick_is_not_shown_after_it() -> None:
    chat = Chat()
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    late = encode(TypingSignal(UserId("u-alice"), "alice", True, chat.room().tip.seq))
    chat.ask(HostKick(LOBBY, UserId("u-alice"), "host"))
    assert chat.step(Fed(StoreSignal(LOBBY, late))) == []


def test_typing_from_before_all_that_is_remembered_is_not_shown() -> None:
    chat = Chat(Limits(replay_entries=2))
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    late = encode(TypingSignal(UserId("u-alice"), "alice", True, chat.room().tip.seq))
    chat.say(alice, "done typing")
    for text in ("one", "two", "three"):
        chat.say(bob, text)
    assert chat.step(Fed(StoreSignal(LOBBY, late))) == []


def test_a_guest_whose_join_went_unanswered_still_goes_by_the_name_in_the_log() -> None:
    chat = Chat(Limits(unanswered_ms=1_000, heartbeat_ms=60_000))
    guest = chat.open("guest", "", guest=True, session="tab")
    chat.hold = True
    chat.send(guest, JoinRoom(room="lobby", username="dan", ref="r-1"))
    late = answer_to_append(chat)
    chat.world.clock.move_to(1_000)
    chat.node.tick()
    chat.node.drop(guest)
    guest = chat.node.open("again", "", guest=True, session="tab", user_id="u-guest")
    chat.homes[guest] = chat.node
    chat.hold = False
    chat.step(late)
    chat.join(guest)
    said = only(Posted, chat.say(guest, "hello"))
    assert [posted.message.username for posted in said] == ["dan"]


def test_a_guests_tab_at_another_node_goes_by_the_name_the_roster_has() -> None:
    chat = Chat(nodes=2)
    first = chat.open("first", "", guest=True, session="one")
    chat.send(first, JoinRoom(room="lobby", username="dan"))
    second = chat.nodes[1].open("second", "", guest=True, session="two", user_id="u-first")
    chat.homes[second] = chat.nodes[1]
    chat.send(second, JoinRoom(room="lobby", username="somebody else"))
    assert [one.message.username for one in only(Posted, chat.say(second, "hello"))] == ["dan"]


def test_a_join_undone_by_a_kick_before_it_was_answered_is_made_again() -> None:
    chat = Chat(nodes=2)
    chat.step(Watched(LOBBY), chat.nodes[1])
    alice = chat.open("alice")
    chat.hold = True
    chat.send(alice, JoinRoom(room="lobby", ref="r-1"))
    late = answer_to_append(chat)
    chat.node.settle()
    chat.hold = False
    chat.ask(HostKick(LOBBY, UserId("u-alice"), "host"), chat.nodes[1])
    chat.step(late)
    (joined,) = only(RoomJoined, chat.take(alice))
    assert (joined.ref, [one.username for one in joined.occupants]) == ("r-1", ["alice"])


def test_who_comes_back_to_a_room_without_roster_is_told_the_count() -> None:
    chat = Chat(Limits(roster_limit=1, roster_return=1, occupancy_ms=100))
    alice, bob = chat.open("alice", session="tab"), chat.open("bob")
    joined = only(RoomJoined, [*chat.join(alice), *chat.join(bob)])[1]
    chat.advance(1_000)
    chat.drop(alice)
    alice = chat.open("again", "alice", session="tab")
    since = Position(chat.room().tip.seq, chat.room().tip.link)
    (joined,) = only(RoomJoined, chat.send(alice, JoinRoom(room="lobby", since=since)))
    assert joined.recovered
    chat.advance(100)
    assert only(OccupancyCounted, chat.take(alice)) == [OccupancyCounted(LOBBY, 2, 2)]


def test_a_room_loaded_again_without_messages_has_none_before() -> None:
    chat = Chat(Limits(snapshot_every=1, replay_entries=1, log_entries=1, forget_ms=1_000))
    alice = chat.open("alice")
    for _ in range(3):
        chat.join(alice)
        chat.send(alice, LeaveRoom(room="lobby"))
    chat.advance(2_000)
    assert LOBBY not in chat.node.engine.state.rooms
    chat.join(alice)
    assert chat.served().history.saved > 0
    (page,) = only(HistoryListed, chat.send(alice, GetHistory(room="lobby", after=99, ref="r-1")))
    assert page == HistoryListed(LOBBY, "r-1", (), False, False, True)


def test_a_page_from_before_a_snapshot_is_asked_for_again() -> None:
    limits = Limits(
        snapshot_every=2, replay_entries=1, log_entries=2, history_window=1, history_on_join=1
    )
    chat = Chat(limits)
    alice = chat.open("alice")
    chat.join(alice)
    for text in ("one", "two", "three"):
        chat.say(alice, text)
    chat.hold = True
    chat.node.send(alice, GetHistory(room="lobby", before=9, limit=9, ref="r-1"))
    (asked,) = chat.waiting(PageMessages)
    chat.node.pending.remove(asked)
    early = chat.node.call(asked)
    assert early is not None
    chat.hold = False
    for text in ("four", "five", "six"):
        chat.ask(HostPost(LOBBY, text))
    chat.step(early)
    (page,) = only(HistoryListed, chat.take(alice))
    assert [one.text for one in page.messages] == ["one", "two", "three", "four", "five", "six"]


def test_a_user_who_came_back_before_being_forgotten_leaves_no_timer() -> None:
    chat = Chat(Limits(joins_per_s=1, joins_burst=5))
    alice = chat.open("alice", protocol=1)
    chat.join(alice)
    chat.drop(alice)
    assert (Timer.USER, "u-alice") in chat.node.engine.state.timers
    alice = chat.open("again", "alice", protocol=1)
    chat.world.clock.move_to(2_000)
    chat.node.drop(alice)
    assert chat.node.engine.state.users == {}
    assert (Timer.USER, "u-alice") not in chat.node.engine.state.timers


def answer_to_append(chat: Chat) -> Input:
    """Have the store take the append that waits, and keep its answer back."""
    while not chat.waiting(Append):
        chat.node.perform(chat.node.pending.popleft())
    (append,) = chat.waiting(Append)
    chat.node.pending.remove(append)
    answer = chat.node.call(append)
    assert answer is not None
    return answer


def test_who_leaves_with_one_of_two_tabs_no_longer_types_there() -> None:
    chat = Chat()
    bob, first, second = chat.open("bob"), chat.open("c-1", "alice"), chat.open("c-2", "alice")
    for tab in (bob, first, second):
        chat.send(tab, JoinRoom(room="lobby"))
    chat.send(first, TypingStart(room="lobby"))
    chat.take(bob)
    chat.send(first, LeaveRoom(room="lobby"))
    assert [stopped.users for stopped in only(TypingStopped, chat.take(bob))] == [()]


def test_a_leave_that_waits_does_not_undo_a_later_join_of_the_same_session() -> None:
    limits = Limits(
        snapshot_every=2, replay_entries=1, log_entries=2, history_window=1, history_on_join=1
    )
    chat = Chat(limits)
    alice = chat.open("alice", session="tab")
    chat.join(alice)
    for text in ("one", "two", "three"):
        chat.say(alice, text)
    chat.hold = True
    chat.send(alice, GetHistory(room="lobby", before=9, limit=9, ref="r-1"))
    chat.send(alice, LeaveRoom(room="lobby", ref="r-2"))
    again = chat.open("again", "alice", session="tab")
    chat.send(again, JoinRoom(room="lobby", ref="r-3"))
    chat.hold = False
    chat.settle()
    assert len(only(RoomJoined, chat.take(again))) == 1
    assert chat.say(again, "four")[0] == Posted(LOBBY, chat.served().history.messages[-1])


def test_a_join_stored_after_its_session_was_over_does_not_undo_that_sessions_next_join() -> None:
    chat = Chat()
    alice = chat.open("alice", session="tab")
    chat.hold = True
    chat.send(alice, JoinRoom(room="lobby", ref="r-1"))
    answer = answer_to_append(chat)
    chat.drop(alice)
    chat.world.clock.move_to(chat.world.clock.mono + 20_000)
    chat.node.tick()
    again = chat.open("again", "alice", session="tab")
    chat.send(again, JoinRoom(room="lobby", ref="r-2"))
    chat.node.step(answer)
    chat.hold = False
    chat.settle()
    assert len(only(RoomJoined, chat.take(again))) == 1
    assert chat.say(again, "hello")[0] == Posted(LOBBY, chat.served().history.messages[-1])
