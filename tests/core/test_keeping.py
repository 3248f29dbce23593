"""Saving a room, and letting go of one that nobody uses."""

from roomkit.core.commands import EditMessage, LeaveRoom
from roomkit.core.effects import Effect, SaveRoom
from roomkit.core.events import HistoryListed, Posted
from roomkit.core.history import decode_rows
from roomkit.core.inputs import HostHistory, HostPost, RoomSaved, Unwatched, Watched
from roomkit.ids import Position, message_id
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, only

PATIENT = 600_000


def leave(chat: Chat, name: str = "alice") -> None:
    connection = next(one for one in chat.homes if one == name)
    chat.send(connection, LeaveRoom(room="lobby"))


def saves(effects: list[Effect]) -> list[Position]:
    return [effect.snapshot.position for effect in only(SaveRoom, effects)]


def test_what_is_saved_lies_behind_whatever_may_be_replayed() -> None:
    """A checkpoint every three entries, saved once the tail of two begins after it."""
    chat = Chat(Limits(snapshot_every=3, replay_entries=2, messages_burst=99))
    alice = chat.open("alice")
    chat.join(alice)
    kept: list[tuple[int, int]] = []
    for number in range(8):
        chat.say(alice, str(number))
        kept.append((chat.room().tip.seq, chat.served().history.saved))
    assert kept == [(2, 0), (3, 0), (4, 0), (5, 3), (6, 3), (7, 3), (8, 6), (9, 6)]


def test_a_room_loaded_again_replays_as_far_as_one_that_never_was_away() -> None:
    chat = Chat(Limits(snapshot_every=3, replay_entries=2, messages_burst=99), nodes=2)
    alice = chat.open("alice")
    chat.join(alice)
    for number in range(8):
        chat.say(alice, str(number))
    chat.join(chat.open("bob", node=chat.nodes[1]))
    tails = [chat.served().tail, chat.served(node=chat.nodes[1]).tail]
    assert tails[0].events == tails[1].events
    assert len(tails[0].events) == 2


def test_a_node_that_only_reads_along_does_not_save() -> None:
    limits = Limits(snapshot_every=3, replay_entries=1, messages_burst=99)
    chat = Chat(limits, nodes=2)
    chat.join(chat.open("alice"))
    bob = chat.open("bob", node=chat.nodes[1])
    chat.join(bob)
    chat.hold = True
    chat.nodes[1].pending.clear()
    for number in range(8):
        chat.say(bob, str(number))
        chat.append(node=chat.nodes[1])
    assert len(chat.waiting(SaveRoom, chat.nodes[1])) == 1, "one save at a time"
    assert chat.waiting(SaveRoom) == []


def test_a_refused_save_changes_nothing() -> None:
    chat = Chat(Limits(snapshot_every=2, replay_entries=1))
    alice = chat.open("alice")
    chat.join(alice)
    chat.say(alice, "two")
    chat.hold = True
    chat.say(alice, "three")
    chat.append()
    (save,) = chat.waiting(SaveRoom)
    assert save.snapshot.position.seq == 2
    chat.node.pending.clear()
    chat.step(RoomSaved(LOBBY, save.snapshot.position, False))
    assert chat.served().history.saved == 0
    assert [one.seq for one in chat.served().history.changed(3)] == [2, 3]


def test_a_message_is_saved_as_it_was_at_the_checkpoint() -> None:
    """A store that has the checkpoint's entry may have lost a later edit in a failover."""
    chat = Chat(Limits(snapshot_every=2, replay_entries=2))
    alice = chat.open("alice")
    chat.join(alice)
    (posted,) = only(Posted, chat.say(alice, "two"))
    place = message_id(Position(posted.seq, posted.link))
    chat.send(alice, EditMessage(message="edited", room="lobby", id=place))
    chat.hold = True
    chat.say(alice, "four")
    chat.append()
    (save,) = chat.waiting(SaveRoom)
    assert save.snapshot.position == Position(posted.seq, posted.link)
    assert decode_rows(save.messages) == [posted.message]
    chat.hold = False
    chat.node.settle()
    late = chat.world.node()
    chat.join(chat.open("bob", node=late))
    held = chat.served(node=late).history.messages
    assert [one.text for one in held] == ["edited", "four"]


def test_news_of_a_save_of_a_room_let_go_is_ignored() -> None:
    assert Chat().step(RoomSaved(LOBBY, Position(1, "a" * 16), True)) == []


def test_an_unused_room_is_let_go_after_a_minute() -> None:
    chat = Chat(Limits(heartbeat_ms=PATIENT))
    chat.join(chat.open("alice"))
    leave(chat)
    chat.advance(59_999)
    assert LOBBY in chat.node.engine.state.rooms
    chat.advance(1)
    assert chat.node.engine.state.rooms == {}
    assert chat.node.followed == set()


def test_who_comes_back_in_time_keeps_the_room() -> None:
    chat = Chat(Limits(heartbeat_ms=PATIENT))
    alice = chat.open("alice")
    chat.join(alice)
    leave(chat)
    chat.advance(59_999)
    chat.join(alice)
    chat.advance(60_000)
    assert LOBBY in chat.node.engine.state.rooms
    leave(chat)
    chat.advance(59_999)
    assert LOBBY in chat.node.engine.state.rooms


def test_a_room_that_became_idle_while_it_was_saved_still_has_its_minute() -> None:
    chat = Chat(Limits(snapshot_every=2, replay_entries=1, heartbeat_ms=PATIENT))
    alice = chat.open("alice")
    chat.join(alice)
    chat.say(alice, "two")
    chat.hold = True
    chat.say(alice, "three")
    chat.append()
    (save,) = chat.waiting(SaveRoom)
    chat.node.pending.remove(save)
    chat.hold = False
    leave(chat)
    chat.node.perform(save)
    chat.settle()
    assert LOBBY in chat.node.engine.state.rooms
    chat.advance(60_000)
    assert chat.node.engine.state.rooms == {}
    assert chat.kept().tip().snapshot_seq == 2


def test_a_watched_room_is_kept() -> None:
    chat = Chat()
    chat.step(Watched(LOBBY))
    chat.step(Watched(LOBBY))
    chat.step(Unwatched(LOBBY))
    chat.advance(120_000)
    assert LOBBY in chat.node.engine.state.rooms
    chat.step(Unwatched(LOBBY))
    chat.advance(60_000)
    assert chat.node.engine.state.rooms == {}
    chat.step(Unwatched(LOBBY))


def test_what_was_saved_is_what_is_loaded() -> None:
    chat = Chat(Limits(heartbeat_ms=PATIENT))
    chat.ask(HostPost(LOBBY, "one"))
    chat.ask(HostPost(LOBBY, "two"))
    before = chat.room().snapshot()
    chat.advance(60_000)
    listed = chat.ask(HostHistory(LOBBY))
    assert chat.room().snapshot() == before
    assert isinstance(listed, HistoryListed)
    assert [message.text for message in listed.messages] == ["one", "two"]


def test_timers_of_a_room_go_with_it() -> None:
    chat = Chat(Limits(heartbeat_ms=PATIENT))
    chat.join(chat.open("alice"))
    leave(chat)
    chat.advance(60_000)
    left = {(timer, key) for timer, key in chat.node.engine.state.timers._table}
    assert {key for _, key in left} & {LOBBY} == set()
