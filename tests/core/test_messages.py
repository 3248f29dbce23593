"""Posting, typing and signalling."""

from roomkit.core import signals
from roomkit.core.commands import (
    JoinRoom,
    LeaveRoom,
    SendMessage,
    SendSignal,
    TypingStart,
    TypingStop,
)
from roomkit.core.effects import Append, SendToNodes
from roomkit.core.events import (
    Acked,
    Event,
    Moderated,
    Posted,
    RoomLeft,
    SignalSent,
    TypingStarted,
    TypingStopped,
)
from roomkit.core.inputs import Fed, HostKick, HostPost
from roomkit.core.storage import StoreSignal
from roomkit.errors import ErrorCode
from roomkit.ids import ConnectionId, UserId
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, codes, only

ALICE, BOB = UserId("u-alice"), UserId("u-bob")


def pair(
    limits: Limits | None = None, protocol: int = 2
) -> tuple[Chat, ConnectionId, ConnectionId]:
    """Alice and bob in the lobby, everything said so far forgotten."""
    chat = Chat(limits)
    alice, bob = chat.open("alice"), chat.open("bob", protocol=protocol)
    chat.join(alice)
    chat.join(bob)
    chat.take(alice)
    return chat, alice, bob


def typing(chat: Chat, user: str, active: bool, seq: int) -> None:
    signal = signals.TypingSignal(UserId(f"u-{user}"), user, active, seq)
    chat.step(Fed(StoreSignal(LOBBY, signals.encode(signal))))


def seen(events: list[Event]) -> list[tuple[str, str]]:
    """Who began (+) and stopped (-) typing."""
    return [
        ("+" if isinstance(event, TypingStarted) else "-", event.username)
        for event in events
        if isinstance(event, TypingStarted | TypingStopped)
    ]


def test_a_message_carries_all_its_author_gave() -> None:
    chat, alice, bob = pair()
    command = SendMessage(
        room="lobby",
        message="hello",
        username="mallory",
        ref="1",
        idempotency_key="k1",
        reply_to="1-abc",
        meta={"mood": "good"},
    )
    posted, acked = chat.send(alice, command)
    assert isinstance(posted, Posted) and isinstance(acked, Acked)
    message = posted.message
    assert (message.user_id, message.username, message.text) == (ALICE, "alice", "hello")
    assert (message.idempotency_key, message.reply_to) == ("k1", "1-abc")
    assert (message.meta, message.system) == ({"mood": "good"}, False)
    assert chat.take(bob) == [posted]


def test_without_a_ref_there_is_no_ack() -> None:
    chat, alice, _ = pair()
    assert [type(event) for event in chat.send(alice, SendMessage(room="lobby", message="a"))] == [
        Posted
    ]


def test_a_blank_message_is_refused_and_costs_nothing() -> None:
    chat, alice, _ = pair(Limits(messages_burst=1))
    assert codes(chat.say(alice, "  ")) == [ErrorCode.BAD_ARGUMENT]
    assert codes(chat.say(alice, "hello")) == []


def test_the_host_posts_as_itself_or_as_a_user_unpaced() -> None:
    chat, alice, _ = pair(Limits(messages_burst=1))
    for number in range(20):
        chat.ask(HostPost(LOBBY, str(number)))
    posted = only(Posted, chat.take(alice))
    assert len(posted) == 20
    assert {(one.message.user_id, one.message.system) for one in posted} == {("system", True)}


def test_a_key_of_one_user_is_not_that_of_another() -> None:
    chat, alice, bob = pair()
    for connection in (alice, bob):
        chat.send(connection, SendMessage(room="lobby", message="a", idempotency_key="k"))
    assert [message.user_id for message in chat.served().history.messages] == [ALICE, BOB]


def test_a_repeat_refused_by_a_newer_rule_gets_that_error_and_adds_nothing() -> None:
    """Law 3."""
    chat, alice, _ = pair()
    command = SendMessage(room="lobby", message="hello", ref="1", idempotency_key="k")
    chat.send(alice, command)
    chat.send(alice, LeaveRoom(room="lobby"))
    tip = chat.room().tip
    assert codes(chat.send(alice, command)) == [ErrorCode.NOT_JOINED]
    assert chat.room().tip == tip


# Typing


def test_typing_expires_and_every_clearing_is_sent() -> None:
    chat, alice, bob = pair()
    chat.send(alice, TypingStart(room="lobby"))
    chat.advance(5_999)
    assert seen(chat.take(bob)) == [("+", "alice")]
    chat.advance(1)
    assert seen(chat.take(bob)) == [("-", "alice")]


def test_two_typists_expire_each_in_time() -> None:
    chat, alice, bob = pair()
    chat.send(alice, TypingStart(room="lobby"))
    chat.advance(2_000)
    chat.send(bob, TypingStart(room="lobby"))
    chat.take(alice)
    chat.advance(4_000)
    assert seen(chat.take(alice)) == [("-", "alice")]
    chat.advance(2_000)
    assert seen(chat.take(alice)) == [("-", "bob")]


def test_each_typing_event_names_everybody_typing() -> None:
    limits = Limits(typing_names=2, connections_per_user=20)
    chat = Chat(limits)
    people = [chat.open(name) for name in ("alice", "bob", "carol")]
    for person in people:
        chat.join(person)
    for person in people:
        chat.send(person, TypingStart(room="lobby"))
    last = only(TypingStarted, chat.take(people[0]))[-1]
    assert last == TypingStarted(LOBBY, UserId("u-carol"), "carol", ("alice", "bob"), 3, 6_000)
    chat.send(people[1], TypingStop(room="lobby"))
    (stopped,) = only(TypingStopped, chat.take(people[0]))
    assert stopped == TypingStopped(LOBBY, BOB, "bob", ("alice", "carol"), 2, 6_000)


def test_protocol_1_is_not_sent_its_own_typing_and_sees_that_of_others() -> None:
    chat, alice, bob = pair(protocol=1)
    chat.send(bob, TypingStart(room="lobby"))
    assert (seen(chat.take(alice)), seen(chat.take(bob))) == ([("+", "bob")], [])
    chat.send(alice, TypingStart(room="lobby"))
    assert seen(chat.take(bob)) == [("+", "alice")]
    chat.send(bob, TypingStop(room="lobby"))
    assert seen(chat.take(bob)) == []


def test_typing_ends_with_a_kick() -> None:
    chat, alice, bob = pair()
    chat.send(bob, TypingStart(room="lobby"))
    chat.ask(HostKick(LOBBY, BOB, "host"))
    assert seen(chat.take(alice)) == [("+", "bob"), ("-", "bob")]


def test_typing_goes_on_while_another_tab_of_the_user_is_there() -> None:
    chat, alice, bob = pair()
    tab = chat.open("tab", "alice")
    chat.join(tab)
    chat.take(bob)
    chat.send(alice, TypingStart(room="lobby"))
    chat.send(tab, LeaveRoom(room="lobby"))
    assert seen(chat.take(bob)) == [("+", "alice")]
    chat.send(alice, LeaveRoom(room="lobby"))
    assert seen(chat.take(bob)) == [("-", "alice")]


def test_another_nodes_typist_is_shown_and_cleared() -> None:
    chat, alice, _ = pair()
    typing(chat, "carol", True, 2)
    typing(chat, "carol", True, 2)
    typing(chat, "carol", False, 2)
    typing(chat, "carol", False, 2)
    assert seen(chat.take(alice)) == [("+", "carol"), ("-", "carol")]


def test_another_nodes_typist_expires_here_too() -> None:
    """Law 7: no later than the expiry after it reached this node."""
    chat, alice, _ = pair()
    typing(chat, "carol", True, 2)
    chat.advance(6_000)
    assert seen(chat.take(alice)) == [("+", "carol"), ("-", "carol")]


def test_typing_begun_before_a_message_that_is_folded_is_dropped() -> None:
    """Rule 11."""
    chat, alice, bob = pair()
    before = chat.room().tip.seq
    chat.say(bob, "hello")
    chat.take(alice)
    typing(chat, "bob", True, before)
    assert seen(chat.take(alice)) == []
    typing(chat, "bob", True, before + 1)
    assert seen(chat.take(alice)) == [("+", "bob")]


def test_typing_begun_before_a_kick_that_is_folded_is_dropped() -> None:
    """Rule 11: a kick is a leave."""
    chat, alice, _ = pair()
    before = chat.room().tip.seq
    chat.ask(HostKick(LOBBY, BOB, "host"))
    chat.take(alice)
    typing(chat, "bob", True, before)
    assert seen(chat.take(alice)) == []


def test_nodes_are_told_what_had_been_folded() -> None:
    chat, alice, _ = pair()
    chat.hold = True
    chat.send(alice, TypingStart(room="lobby"))
    (told,) = chat.waiting(SendToNodes)
    assert signals.decode(told.payload) == signals.TypingSignal(ALICE, "alice", True, 2)


# Signals


def test_a_signal_reaches_everybody_and_is_not_stored() -> None:
    chat, alice, bob = pair()
    tip = chat.room().tip
    told = chat.send(alice, SendSignal(room="lobby", name="wave", payload={"n": 1}, ref="1"))
    signal = SignalSent(LOBBY, ALICE, "alice", "wave", {"n": 1})
    assert told == [signal, Acked("1", LOBBY)]
    assert chat.take(bob) == [signal]
    assert chat.room().tip == tip


def test_a_signal_reaches_other_nodes() -> None:
    chat = Chat(nodes=2)
    alice, bob = chat.open("alice"), chat.open("bob", node=chat.nodes[1])
    chat.join(alice)
    chat.join(bob)
    chat.take(bob)
    chat.send(alice, SendSignal(room="lobby", name="wave"))
    assert chat.take(bob) == [SignalSent(LOBBY, ALICE, "alice", "wave", None)]


def test_one_authors_messages_keep_their_order_through_failures() -> None:
    """Law 13."""
    chat = Chat(Limits(messages_burst=100))
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    for number in range(30):
        chat.node.send(alice, SendMessage(room="lobby", message=str(number)))
        if number % 7 == 3:
            chat.append()
    chat.settle()
    said = [message.text for message in chat.served().history.messages]
    assert said == [str(number) for number in range(30)]
    assert chat.waiting(Append) == []


def test_a_guest_speaks_under_the_name_that_was_joined_with() -> None:
    chat = Chat()
    guest = chat.open("guest", "", guest=True)
    chat.send(guest, JoinRoom(room="lobby", username="alice"))
    (posted, _) = chat.send(
        guest, SendMessage(room="lobby", message="hello", username="mallory", ref="1")
    )
    assert isinstance(posted, Posted)
    assert posted.message.username == "alice"


def test_typing_that_waited_too_long_for_its_turn_is_not_shown() -> None:
    """Law 7."""
    chat, alice, bob = pair()
    carol = chat.open("carol")
    chat.hold = True
    chat.say(alice, "the store is slow")
    chat.node.send(carol, JoinRoom(room="lobby"))
    chat.node.send(carol, TypingStart(room="lobby", ref="1"))
    chat.world.clock.move_to(6_000)
    chat.node.tick()
    chat.settle()
    assert seen(chat.take(bob)) == []
    assert only(Acked, chat.take(carol)) == [Acked("1", LOBBY)]


def test_a_user_kicked_where_the_roster_is_off_is_told_under_the_name_held_here() -> None:
    chat = Chat(Limits(roster_limit=1, roster_return=1))
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    chat.take(alice)
    chat.ask(HostKick(LOBBY, BOB, "host"))
    chat.ask(HostKick(LOBBY, UserId("u-elsewhere"), "host"))
    told = [(event.username, event.removed) for event in only(Moderated, chat.take(alice))]
    assert told == [("bob", False), ("u-elsewhere", False)]
    assert only(RoomLeft, chat.take(bob)) == [RoomLeft(LOBBY, None, "kicked")]
