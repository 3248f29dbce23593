"""What random lives found wrong where the log, its store and its nodes meet."""

from roomkit.core import facts
from roomkit.core.commands import (
    EditMessage,
    GetHistory,
    JoinRoom,
    LeaveRoom,
    SendMessage,
    TypingStart,
)
from roomkit.core.effects import Append, SaveRoom
from roomkit.core.events import Acked, GapTold, Posted, RoomJoined, TypingStopped
from roomkit.core.inputs import Fed, RoomSaved, Watched
from roomkit.core.storage import Failed, Interrupted, Unknown
from roomkit.errors import CloseCode, ErrorCode
from roomkit.ids import NodeId, Position, SessionId, UserId, message_id
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, codes, only

QUIET = Limits(heartbeat_ms=600_000, unanswered_ms=600_000)


def listed(chat: Chat) -> dict[str, set[str]]:
    """Who the roster lists, by node."""
    by_node: dict[str, set[str]] = {}
    for occupant in chat.room().roster.values():
        for session, node in occupant.sessions.items():
            by_node.setdefault(node, set()).add(session)
    return by_node


def test_an_edit_of_a_message_that_a_failover_lost_changes_nothing() -> None:
    """The fence was right: no control fact was lost. Another message had the seq by then."""
    chat = Chat(QUIET)
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    (posted,) = only(Posted, chat.say(alice, "lost"))
    chat.put_back(kept)
    chat.write("found")
    place = message_id(Position(posted.seq, posted.link))
    edit = EditMessage(message="edited", room="lobby", id=place, ref="r-1")
    told = chat.send(alice, edit)
    assert [gap.reason for gap in only(GapTold, told)] == ["forked"]
    assert codes(told) == [ErrorCode.NOT_FOUND]
    assert [message.text for message in chat.served().history.messages] == ["found"]


def test_a_failure_after_an_unknown_outcome_settles_nothing() -> None:
    chat = Chat(QUIET)
    alice = chat.open("alice")
    chat.hold = True
    chat.send(alice, JoinRoom(room="lobby", ref="r-1"))
    while not chat.waiting(Append):
        chat.node.perform(chat.node.pending.popleft())
    (append,) = chat.waiting(Append)
    chat.node.append(append)
    chat.append(Unknown("the line went dead"))
    chat.world.clock.move_to(50)
    chat.node.tick()
    chat.append(Failed("the disk is full"))
    assert chat.take(alice) == []
    chat.advance(100)
    assert [joined.ref for joined in only(RoomJoined, chat.take(alice))] == ["r-1"]
    assert listed(chat) == {chat.node.engine.node: {"s-alice"}}


def test_who_leaves_while_the_node_states_its_occupants_is_not_stated() -> None:
    chat = Chat(QUIET)
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    chat.write_facts(facts.NodeLost(chat.node.engine.node))
    chat.hold = True
    chat.send(alice, LeaveRoom(room="lobby"))
    chat.step(Fed(Interrupted()))
    chat.settle()
    assert listed(chat) == {chat.node.engine.node: {"s-bob"}}


def test_who_moves_away_while_the_node_states_its_occupants_is_taken_back() -> None:
    chat = Chat(QUIET)
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    former = chat.node.engine.node
    chat.write_facts(facts.NodeLost(former))
    chat.hold = True
    chat.step(Fed(Interrupted()))
    while not chat.waiting(Append):
        chat.node.perform(chat.node.pending.popleft())
    moved = facts.Arrival(SessionId("s-alice"), UserId("u-alice"), "alice")
    chat.write_facts(facts.Entered(NodeId("stranger"), [moved]))
    chat.settle()
    assert chat.node.closes[alice] == CloseCode.SESSION_REPLACED
    assert listed(chat) == {chat.node.engine.node: {"s-bob"}}


def test_who_moved_away_behind_a_gap_is_not_called_back() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000, log_entries=2, snapshot_every=1, replay_entries=1))
    chat.open("watcher", "bob", node=chat.node)
    alice = chat.open("alice")
    chat.join(alice)
    other = chat.world.node()
    other.step(Watched(LOBBY))
    chat.settle()
    chat.world.hints = lambda node, item: False
    moved = other.open("moved", "alice", session="s-alice")
    chat.homes[moved] = other
    chat.join(moved)
    for number in range(6):
        chat.say(moved, f"message {number}")
    chat.advance(10_000)
    assert chat.node.closes[alice] == CloseCode.SESSION_REPLACED
    assert moved not in other.closes
    assert listed(chat) == {other.engine.node: {"s-alice"}}


def test_a_departure_lost_in_a_failover_is_made_up_for_when_the_room_is_loaded() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000, forget_ms=1_000))
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    before = chat.kept()
    chat.send(alice, LeaveRoom(room="lobby"))
    chat.put_back(before)
    chat.advance(2_000)
    chat.join(bob)
    assert listed(chat) == {chat.node.engine.node: {"s-bob"}}


def test_what_a_failover_lost_before_it_was_folded_is_stored_again_once() -> None:
    chat = Chat(QUIET)
    alice = chat.open("alice")
    chat.join(alice)
    before = chat.kept()
    chat.hold = True
    chat.write("seen by nobody")
    chat.send(alice, SendMessage(room="lobby", message="hello", ref="r-1"))
    (append,) = chat.waiting(Append)
    chat.node.pending.remove(append)
    stored = chat.node.call(append)
    assert stored is not None
    chat.node.step(stored)
    chat.put_back(before)
    assert chat.take(alice) == []
    chat.settle()
    chat.advance(1_000)
    taken = chat.take(alice)
    (acked,), (posted,) = only(Acked, taken), only(Posted, taken)
    assert acked.position == chat.log()[-1].position == chat.room().tip
    assert posted.message.text == "hello"


def test_a_snapshot_the_store_lost_is_noticed_with_the_tips() -> None:
    limits = Limits(
        heartbeat_ms=600_000, snapshot_every=2, replay_entries=1, log_entries=100, history_window=1,
        history_on_join=1,
    )  # fmt: skip
    chat = Chat(limits)
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    for text in ("one", "two", "three", "four"):
        chat.node.send(alice, SendMessage(room="lobby", message=text))
        chat.append()
    (save,) = chat.waiting(SaveRoom)
    chat.node.pending.remove(save)
    chat.node.step(RoomSaved(LOBBY, save.snapshot.position, kept=True))
    chat.hold = False
    chat.take(alice)
    chat.advance(6_000)
    assert [gap.reason for gap in only(GapTold, chat.take(alice))] == ["forked"]
    history = chat.send(alice, GetHistory(room="lobby", before=99, limit=10))
    assert [one.text for one in history[0].messages] == ["one", "two", "three", "four"]  # type: ignore[union-attr]  # the page is all that was sent


def test_a_gap_ends_the_typing_protocol_1_was_shown() -> None:
    chat = Chat(QUIET)
    alice, bob = chat.open("alice"), chat.open("bob", protocol=1)
    chat.join(alice)
    chat.join(bob)
    before = chat.kept()
    chat.say(alice, "lost")
    chat.send(alice, TypingStart(room="lobby"))
    chat.put_back(before)
    chat.take(bob)
    chat.step(Fed(Interrupted()))
    kinds = [type(event) for event in chat.take(bob)]
    assert kinds[:3] == [TypingStopped, GapTold, RoomJoined]
