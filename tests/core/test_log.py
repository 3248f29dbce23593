"""Where the log meets the fold: outcomes of appends, and logs that do not continue the fold."""

from roomkit.core import facts
from roomkit.core.commands import JoinRoom, SendMessage
from roomkit.core.effects import Append, Broadcast, Deliver, LoadRoom, ReadLog
from roomkit.core.events import (
    Acked,
    Advanced,
    GapTold,
    Moderated,
    Posted,
    RoomJoined,
    RosterChanged,
)
from roomkit.core.inputs import Appended, Asked, Fed, HostKick, HostPost
from roomkit.core.storage import Behind, Failed, Hint, Nonce, Unknown
from roomkit.errors import ErrorCode
from roomkit.ids import NodeId, Position, RequestId, UserId
from roomkit.limits import Limits
from tests.core.chat import GARDEN, LOBBY, Chat, codes, only


def positions(chat: Chat) -> set[Position]:
    return {entry.position for entry in chat.log()}


def texts(joined: RoomJoined) -> list[str]:
    return [message.text for message in joined.messages]


def test_nothing_is_shown_before_the_store_has_answered() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    assert chat.say(alice, "hello") == []
    chat.append()
    posted, acked = chat.take(alice)
    assert isinstance(posted, Posted) and isinstance(acked, Acked)
    assert acked.position == Position(posted.seq, posted.link) == chat.room().tip


def test_an_answer_to_another_append_is_ignored() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    chat.say(alice, "hello")
    (append,) = chat.waiting(Append)
    older = Appended(LOBBY, Nonce(append.nonce.node, 0), Behind())
    assert chat.step(older) == []
    chat.settle()
    assert chat.step(Appended(LOBBY, append.nonce, Behind())) == []


def test_after_a_lost_tail_members_are_told_a_gap_and_the_new_message_is_in_the_log() -> None:
    """Rule 5: an append answered with a seq not above the tip means that entries were lost."""
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    told = chat.say(alice, "hello")
    assert [type(event) for event in told] == [GapTold, RoomJoined, Acked, Advanced]
    assert told[0] == GapTold(LOBBY, "forked")
    (joined,) = only(RoomJoined, told)
    (acked,) = only(Acked, told)
    assert texts(joined) == ["hello"]
    assert acked.position in positions(chat)


def test_a_loss_that_reaches_further_back_than_the_tail_is_noticed_too() -> None:
    """Law 4 and rule 5, when the seq answered is older than anything this node can compare."""
    chat = Chat(Limits(replay_entries=3, messages_burst=100))
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    for number in range(9):
        chat.say(alice, f"lost {number}")
    chat.put_back(kept)
    told = chat.say(alice, "hello")
    assert only(GapTold, told) == [GapTold(LOBBY, "forked")]
    (acked,) = only(Acked, told)
    assert acked.position in positions(chat)
    assert chat.room().tip == chat.log()[-1].position


def test_what_a_fork_lost_is_written_again_before_it_is_acknowledged() -> None:
    """Law 4: the ack names an entry the log has, not one at whose seq it has another."""
    chat = Chat(nodes=2)
    chat.world.hints = lambda node, item: False
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    bob = chat.open("bob", node=chat.nodes[1])
    chat.join(bob)
    chat.say(bob, "one")
    chat.hold = True
    chat.say(alice, "hello")
    chat.append()
    assert len(chat.waiting(ReadLog)) == 1, "the entries of n2 come first"
    chat.put_back(kept)
    chat.write(*"abcdefgh")
    chat.settle()
    chat.advance(1_000)
    (acked,) = only(Acked, chat.take(alice))
    assert acked.position in positions(chat)
    said = [facts.decode(entry.fact) for entry in chat.log()]
    assert [fact.text for fact in said if isinstance(fact, facts.Posted)].count("hello") == 1


def test_an_entry_that_does_not_join_on_is_a_fork() -> None:
    chat = Chat(nodes=2)
    chat.world.hints = lambda node, item: False
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    chat.write("one", "two")
    chat.take(alice)
    chat.step(Fed(Hint(LOBBY, tuple(chat.log()[2:]))))
    gap, joined, stated = chat.take(alice)
    assert gap == GapTold(LOBBY, "forked")
    assert isinstance(joined, RoomJoined) and texts(joined) == ["one", "two"]
    assert isinstance(stated, Advanced)


def test_an_older_entry_with_another_link_is_a_fork() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    chat.write("one")
    chat.take(alice)
    chat.step(Fed(Hint(LOBBY, (chat.log()[1],))))
    assert [type(event) for event in chat.take(alice)] == [GapTold, RoomJoined, Advanced]


def test_an_older_entry_that_is_known_is_skipped() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    assert chat.step(Fed(Hint(LOBBY, tuple(chat.log())))) == []


def test_after_eight_refusals_in_a_row_the_hosts_command_gives_up_too() -> None:
    """Rule 3: the command at the head gets `overloaded`, whoever gave it."""
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    chat.step(Asked(RequestId(7), HostPost(LOBBY, "hello")))
    for _ in range(8):
        assert 7 not in chat.node.answers
        chat.append(Behind())
        chat.node.perform(chat.node.pending.popleft())
    assert codes([chat.node.answers[RequestId(7)]]) == [ErrorCode.OVERLOADED]


def test_a_room_served_no_more_takes_no_outcome() -> None:
    assert Chat().step(Appended(LOBBY, Nonce(NodeId("n1-1"), 1), Behind())) == []


def test_an_unknown_outcome_holds_up_everything_else_of_the_room_and_nothing_of_another() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.join(alice, "garden")
    chat.hold = True
    chat.say(alice, "one")
    chat.append(Unknown("no answer"))
    chat.say(alice, "two")
    assert chat.waiting(Append) == []
    chat.say(alice, "three", room="garden")
    assert [append.room for append in chat.waiting(Append)] == [GARDEN]


def test_pauses_between_attempts_double_up_to_two_seconds() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    chat.say(alice, "one")
    pauses: list[int] = []
    clock = chat.world.clock
    for _ in range(8):
        chat.append(Unknown("no answer"))
        before = clock.mono
        while not chat.waiting(Append):
            clock.move_to(chat.node.engine.next_deadline or 0)
            chat.node.tick()
        pauses.append(clock.mono - before)
    assert pauses == [50, 100, 200, 400, 800, 1600, 2000, 2000]


def test_a_refused_join_gives_its_name_back() -> None:
    chat = Chat()
    alice = chat.open("alice", "", guest=True)
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="lobby", username="alice", ref="1"))
    while not chat.waiting(Append):
        chat.node.perform(chat.node.pending.popleft())
    chat.append(Failed("disk full"))
    assert codes(chat.take(alice)) == [ErrorCode.UNAVAILABLE]
    chat.hold = False
    chat.advance(100)
    (joined,) = only(RoomJoined, chat.send(alice, JoinRoom(room="lobby", username="bob")))
    assert [occupant.username for occupant in joined.occupants] == ["bob"]


def test_a_node_declared_lost_meanwhile_still_answers_joins_in_other_rooms() -> None:
    """Rule 10 in one room must not refuse a join in another that is in flight under the old id."""
    chat = Chat()
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(alice, "garden")
    lost = chat.node.engine.node
    chat.hold = True
    chat.node.send(bob, JoinRoom(room="garden", ref="1"))
    (append,) = chat.waiting(Append)
    chat.node.pending.remove(append)
    chat.write_facts(facts.NodeLost(lost))
    chat.step(Fed(Hint(LOBBY, (chat.log()[-1],))))
    assert chat.node.engine.node != lost
    chat.node.perform(append)
    chat.settle()
    assert codes(chat.take(bob)) == []
    assert set(chat.room("garden").roster) == {"u-alice", "u-bob"}


def test_events_of_an_entry_come_before_the_answers_to_it() -> None:
    chat = Chat()
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.hold = True
    chat.node.send(bob, JoinRoom(room="lobby", ref="1"))
    append = chat.waiting(Append)[0]
    chat.node.pending.remove(append)
    told = chat.node.perform(append)
    assert [type(effect) for effect in told[:2]] == [Broadcast, Deliver]
    assert isinstance(told[0], Broadcast) and isinstance(told[0].event, RosterChanged)


def test_loading_again_is_not_begun_twice() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    chat.write("one")
    chat.hold = True
    hint = Fed(Hint(LOBBY, tuple(chat.log())))
    chat.step(hint)
    chat.step(hint)
    assert len(chat.waiting(LoadRoom)) == 1
    chat.node.send(alice, SendMessage(room="lobby", message="hello", ref="2"))
    chat.settle()
    assert [type(event) for event in chat.take(alice)][-2:] == [Posted, Acked]


def test_a_session_in_its_grace_is_let_go_when_it_enters_elsewhere() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000), nodes=2)
    alice = chat.open("alice")
    chat.join(alice)
    chat.drop(alice)
    there = chat.open("there", "alice", session="s-alice", node=chat.nodes[1])
    chat.join(there)
    assert chat.served().sessions == {}
    chat.advance(60_000)
    assert set(chat.room(node=chat.nodes[1]).roster) == {"u-alice"}


def test_an_act_of_a_later_version_puts_nobody_out() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.write_facts(facts.Moderated("frown", UserId("u-alice"), "alice", "bob"))
    chat.step(Fed(Hint(LOBBY, ())))
    (told,) = chat.take(alice)
    assert isinstance(told, Moderated) and told.action == "frown"
    assert codes(chat.say(alice, "still here")) == []


def test_a_kick_reaches_sessions_in_their_grace() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.drop(alice)
    chat.ask(HostKick(LOBBY, UserId("u-alice"), "host"))
    assert (chat.served().sessions, chat.room().roster) == ({}, {})
    again = chat.open("again", "alice", session="s-alice")
    assert codes(chat.say(again, "hello")) == [ErrorCode.NOT_JOINED]


def test_a_command_that_was_told_unavailable_is_not_told_again() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    chat.say(alice, "hello")
    chat.world.clock.move_to(10_000)
    chat.node.tick()
    assert codes(chat.take(alice)) == [ErrorCode.UNAVAILABLE]
    chat.append(Failed("disk full"))
    assert chat.take(alice) == []


def test_a_departure_that_became_needless_is_dropped() -> None:
    """The session went to another node while its departure from this one was waiting."""
    chat = Chat(Limits(heartbeat_ms=600_000), nodes=2)
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    chat.drop(alice)
    chat.advance(14_000)
    chat.hold = True
    chat.say(bob, "the store is slow")
    chat.world.clock.move_to(15_000)
    chat.node.tick()
    there = chat.nodes[1].open("there", "alice", session="s-alice")
    chat.nodes[1].send(there, JoinRoom(room="lobby"))
    chat.nodes[1].settle()
    chat.settle()
    assert only(facts.Left, [facts.decode(entry.fact) for entry in chat.log()]) == []
    assert set(chat.room().roster) == {"u-alice", "u-bob"}
