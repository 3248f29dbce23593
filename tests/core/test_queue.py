"""The queue of a room: its bounds, who waits for whom, and for how long."""

from roomkit.core.commands import (
    Command,
    GetHistory,
    GetUsers,
    JoinRoom,
    LeaveRoom,
    SendMessage,
)
from roomkit.core.effects import Append, LoadRoom, PageMessages
from roomkit.core.events import (
    Acked,
    Event,
    Failure,
    HistoryListed,
    Posted,
    RoomJoined,
    RoomLeft,
    RosterListed,
)
from roomkit.core.inputs import Asked, HostHistory, HostPost, MessagesPaged, Received
from roomkit.core.storage import MessagePage
from roomkit.core.timers import Timer
from roomkit.errors import ErrorCode
from roomkit.ids import ConnectionId, RequestId
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, codes, only

UNAVAILABLE = (
    "no answer from the message store: it may have been stored; send again with the same key"
)


def slow(limits: Limits | None = None) -> tuple[Chat, ConnectionId]:
    """Alice in the lobby, and a store that answers when it is told to."""
    chat = Chat(limits)
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    return chat, alice


def pass_time(chat: Chat, ms: int) -> None:
    chat.world.clock.move_to(chat.world.clock.mono + ms)
    chat.node.tick()


def test_a_room_has_one_append_in_flight_and_the_next_takes_all_that_waited() -> None:
    chat, alice = slow()
    for number in range(5):
        chat.say(alice, str(number))
    assert [len(append.facts) for append in chat.waiting(Append)] == [1]
    chat.append()
    assert [len(append.facts) for append in chat.waiting(Append)] == [4]


def together(chat: Chat, connection: ConnectionId, *texts: str) -> None:
    """Say all of this in one moment."""
    for text in texts:
        said = SendMessage(room="lobby", message=text, ref=text)
        chat.step(Received(connection, said, more=True))


def test_what_comes_in_one_moment_is_one_append_at_its_end() -> None:
    chat, alice = slow()
    bob = chat.open("bob")
    chat.join(bob)
    chat.append()
    together(chat, alice, "1", "2")
    together(chat, bob, "3")
    assert chat.waiting(Append) == []
    assert chat.node.engine.next_deadline == chat.world.clock.mono
    chat.node.tick()
    assert [len(append.facts) for append in chat.waiting(Append)] == [3]
    chat.append()
    posts = [event.message.text for event in chat.take(bob) if isinstance(event, Posted)]
    assert posts == ["1", "2", "3"]
    assert chat.node.engine.next_deadline != chat.world.clock.mono


def test_what_comes_while_an_append_is_on_its_way_is_judged_when_it_is_answered() -> None:
    chat, alice = slow()
    chat.say(alice, "1")
    together(chat, alice, "2", "3")
    assert not [timer for timer in chat.node.engine.state.timers if timer[0] is Timer.JUDGE]
    chat.append()
    assert [len(append.facts) for append in chat.waiting(Append)] == [2]


def test_another_step_judges_what_came_before_it() -> None:
    chat, alice = slow()
    together(chat, alice, "1", "2")
    chat.drop(alice)
    assert [len(append.facts) for append in chat.waiting(Append)] == [2]


def test_so_many_wait_in_a_room_and_the_next_is_told_overloaded() -> None:
    chat, alice = slow(Limits(waiting_per_room=3, messages_burst=100))
    for number in range(3):
        assert chat.say(alice, str(number)) == []
    assert chat.say(alice, "3") == [
        Failure(
            ErrorCode.OVERLOADED, "too many commands are waiting: try again later", "3", "lobby"
        )
    ]
    chat.settle()
    assert len(only(Acked, chat.take(alice))) == 3
    assert codes(chat.say(alice, "4")) == []


def test_so_many_wait_on_a_node() -> None:
    chat, alice = slow(Limits(waiting_per_node=3))
    for room in ("a", "b"):
        chat.node.send(alice, JoinRoom(room=room))
    chat.say(alice, "one")
    assert codes(chat.say(alice, "two")) == [ErrorCode.OVERLOADED]
    assert codes(chat.join(alice, "c")) == [ErrorCode.OVERLOADED]
    chat.settle()
    assert chat.node.engine.state.waiting == 0


def test_a_refused_command_is_not_charged() -> None:
    chat, alice = slow(Limits(waiting_per_room=1, messages_per_s=1, messages_burst=2))
    chat.say(alice, "one")
    for _ in range(5):
        assert codes(chat.say(alice, "no place")) == [ErrorCode.OVERLOADED]
    chat.settle()
    chat.take(alice)
    assert codes(chat.say(alice, "two")) == []


def test_leaving_always_has_a_place() -> None:
    chat, alice = slow(Limits(waiting_per_room=1))
    chat.say(alice, "one")
    assert chat.send(alice, LeaveRoom(room="lobby", ref="1")) == []
    chat.settle()
    assert only(RoomLeft, chat.take(alice)) == [RoomLeft(LOBBY, "1", "left")]


def test_what_is_not_answered_within_ten_seconds_is_told_so_once() -> None:
    chat, alice = slow()
    chat.say(alice, "one")
    pass_time(chat, 4_000)
    chat.say(alice, "two")
    pass_time(chat, 5_999)
    assert chat.take(alice) == []
    pass_time(chat, 1)
    assert chat.take(alice) == [Failure(ErrorCode.UNAVAILABLE, UNAVAILABLE, "one", "lobby")]
    pass_time(chat, 4_000)
    assert chat.take(alice) == [Failure(ErrorCode.UNAVAILABLE, UNAVAILABLE, "two", "lobby")]
    chat.settle()
    told = chat.take(alice)
    assert [event.message.text for event in only(Posted, told)] == ["one"]
    assert only(Acked, told) == []
    assert chat.node.engine.state.waiting == 0


def test_a_host_that_waits_too_long_is_told_too() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    chat.hold = True
    chat.node.step(Asked(RequestId(1), HostPost(LOBBY, "one")))
    pass_time(chat, 10_000)
    assert codes([chat.node.answers[RequestId(1)]]) == [ErrorCode.UNAVAILABLE]


def test_joins_wait_for_a_room_that_is_loading_and_are_told_when_it_takes_too_long() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="lobby", ref="1"))
    chat.node.send(alice, GetUsers(room="lobby", ref="2"))
    assert len(chat.waiting(LoadRoom)) == 1
    pass_time(chat, 10_000)
    assert [(event.code, event.ref) for event in only(Failure, chat.take(alice))] == [
        (ErrorCode.UNAVAILABLE, "1"),
        (ErrorCode.UNAVAILABLE, "2"),
    ]
    chat.settle()
    assert chat.take(alice) == []
    assert chat.log() == []


def paged_out(chat: Chat, alice: ConnectionId) -> None:
    """Say enough that the first messages are in the archive only."""
    for number in range(9):
        chat.say(alice, str(number))
    chat.take(alice)


SMALL = Limits(
    history_on_join=2,
    history_window=2,
    snapshot_every=2,
    replay_entries=1,
    messages_burst=100,
)


def test_commands_wait_for_a_page_asked_for_before_and_those_of_others_do_not() -> None:
    chat = Chat(SMALL)
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    paged_out(chat, alice)
    chat.take(bob)
    chat.hold = True
    chat.node.send(alice, GetHistory(room="lobby", before=4, ref="1"))
    chat.node.send(alice, GetUsers(room="lobby", ref="2"))
    chat.node.send(alice, SendMessage(room="lobby", message="after the page", ref="3"))
    chat.node.send(bob, SendMessage(room="lobby", message="in between", ref="1"))
    chat.append()
    assert [type(event) for event in chat.take(bob)] == [Posted, Acked]
    assert [type(event) for event in chat.take(alice)] == [Posted]
    (page,) = chat.waiting(PageMessages)
    chat.node.pending.remove(page)
    chat.node.perform(page)
    chat.settle()
    told: list[Event] = chat.take(alice)
    assert [type(event) for event in told] == [HistoryListed, RosterListed, Posted, Acked]


def test_a_page_that_takes_too_long_holds_nobody_up_any_more() -> None:
    chat = Chat(SMALL)
    alice = chat.open("alice")
    chat.join(alice)
    paged_out(chat, alice)
    chat.hold = True
    chat.node.send(alice, GetHistory(room="lobby", before=4, ref="1"))
    (page,) = chat.waiting(PageMessages)
    chat.node.pending.remove(page)
    pass_time(chat, 10_000)
    assert codes(chat.take(alice)) == [ErrorCode.UNAVAILABLE]
    chat.settle()
    assert codes(chat.say(alice, "go on")) == []
    late = MessagesPaged(LOBBY, page.page, MessagePage((), 0, False, False, True))
    assert chat.step(late) == []


def test_the_host_may_ask_for_several_pages_at_once() -> None:
    chat = Chat(SMALL)
    alice = chat.open("alice")
    chat.join(alice)
    paged_out(chat, alice)
    chat.hold = True
    for number in range(3):
        chat.node.step(Asked(RequestId(number), HostHistory(LOBBY, before=4)))
    assert len(chat.waiting(PageMessages)) == 3
    chat.settle()
    answers = [chat.node.answers[RequestId(number)] for number in range(3)]
    assert [type(answer) for answer in answers] == [HistoryListed] * 3


def test_a_page_asked_of_a_room_that_is_lost_meanwhile_is_unavailable() -> None:
    chat = Chat(SMALL)
    alice = chat.open("alice")
    chat.join(alice)
    paged_out(chat, alice)
    chat.hold = True
    chat.node.send(alice, GetHistory(room="lobby", before=4, ref="1"))
    (page,) = chat.waiting(PageMessages)
    chat.node.step(MessagesPaged(LOBBY, page.page, None))
    assert codes(chat.take(alice)) == [ErrorCode.UNAVAILABLE]


def test_other_rooms_go_on() -> None:
    chat, alice = slow()
    chat.say(alice, "one")
    chat.hold = False
    chat.node.pending.clear()
    (joined,) = only(RoomJoined, chat.join(alice, "garden"))
    assert joined.room == "garden"


def test_every_ref_is_answered_exactly_once_whatever_the_order_of_the_stores_answers() -> None:
    """Law 12."""
    chat = Chat(Limits(messages_burst=100, history_window=20, unanswered_ms=3_000))
    alice = chat.open("alice")
    chat.hold = True
    refs = [str(number) for number in range(12)]
    commands: list[Command] = [
        JoinRoom(room="lobby", ref=refs[0]),
        SendMessage(room="lobby", message="a", ref=refs[1]),
        GetHistory(room="lobby", ref=refs[2]),
        GetUsers(room="lobby", ref=refs[3]),
        LeaveRoom(room="lobby", ref=refs[4]),
        SendMessage(room="lobby", message="b", ref=refs[5]),
        JoinRoom(room="lobby", ref=refs[6]),
        JoinRoom(room="garden", ref=refs[7]),
        SendMessage(room="garden", message="c", ref=refs[8]),
        LeaveRoom(room="garden", ref=refs[9]),
        LeaveRoom(room="garden", ref=refs[10]),
        SendMessage(room="lobby", message="d", ref=refs[11]),
    ]
    for command in commands:
        chat.node.send(alice, command)
    pass_time(chat, 3_000)
    chat.settle()
    chat.advance(10_000)
    answered = [str(ref) for event in chat.take(alice) if (ref := getattr(event, "ref", None))]
    assert sorted(answered, key=int) == refs
