"""Keeping up with the log: loading, reading on, hints, tips, and what is dropped on the way."""

from itertools import pairwise

from roomkit.core import facts
from roomkit.core.commands import JoinRoom, TypingStart
from roomkit.core.effects import Effect, LoadRoom, ReadLog, ReadTips
from roomkit.core.events import (
    GapTold,
    Posted,
    RoomJoined,
    TypingStopped,
)
from roomkit.core.inputs import Fed, LogRead, MessagesPaged, RoomLoaded, TipsRead, Watched
from roomkit.core.storage import (
    Entry,
    Hint,
    Interrupted,
    LogSlice,
    MessageRow,
    RoomRecord,
    Snapshot,
    StoreSignal,
    Tip,
    Unknown,
)
from roomkit.core.timers import Timer
from roomkit.ids import ORIGIN, ConnectionId, Position
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, codes, only
from tests.core.log_builder import LogBuilder, arrival, entered

ALICE, BOB = ConnectionId("alice"), ConnectionId("bob")


def kinds(effects: list[Effect]) -> list[type]:
    return [type(effect) for effect in effects]


def apart(limits: Limits | None = None) -> Chat:
    """Two nodes in one room, and no hint gets through; bob is on the second."""
    chat = Chat(limits or Limits(heartbeat_ms=600_000), nodes=2)
    chat.world.hints = lambda node, item: False
    chat.join(chat.open("alice"))
    chat.join(chat.open("bob", node=chat.nodes[1]))
    return chat


def perform_next(chat: Chat, kind: type[Effect]) -> list[Effect]:
    effect = chat.waiting(kind)[0]
    chat.node.pending.remove(effect)
    return chat.node.perform(effect)


def test_a_room_that_cannot_be_loaded_is_tried_again() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.hold = True
    chat.node.send(alice, JoinRoom(room="lobby", ref="1"))
    chat.step(RoomLoaded(LOBBY, None))
    assert codes(chat.take(alice)) == []
    chat.settle()
    chat.advance(50)
    assert [joined.ref for joined in only(RoomJoined, chat.take(alice))] == ["1"]


def test_a_record_of_a_newer_format_or_with_a_broken_message_is_not_served() -> None:
    newer = RoomRecord(Snapshot(Position(1, "a" * 16), 99, b""), (), ())
    broken = RoomRecord(None, (), (MessageRow(1, b"\xc1"),))
    for record in (newer, broken):
        chat = Chat()
        alice = chat.open("alice")
        chat.hold = True
        chat.node.send(alice, JoinRoom(room="lobby", ref="1"))
        chat.step(RoomLoaded(LOBBY, record))
        assert chat.served().room is None
        assert (Timer.RETRY, LOBBY) in chat.node.engine.state.timers


def test_an_answer_nobody_waits_for_is_ignored() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    before = chat.room().snapshot()
    assert chat.step(RoomLoaded(LOBBY, RoomRecord(None, (), ()))) == []
    assert chat.step(LogRead(LOBBY, 0, LogSlice(None, (), Tip(0, "", 0), 0))) == []
    assert chat.step(TipsRead((LOBBY,), {LOBBY: Tip(9, "f" * 16, 0)})) == []
    assert chat.step(MessagesPaged(LOBBY, 99, None)) == []
    assert chat.room().snapshot() == before


def test_a_read_that_fails_is_tried_again() -> None:
    chat = apart()
    chat.write("hello")
    chat.hold = True
    chat.step(Fed(Hint(LOBBY, ())))
    perform_read = chat.waiting(ReadLog)
    assert [read.after for read in perform_read] == [1]
    chat.node.pending.clear()
    assert chat.step(LogRead(LOBBY, 1, None)) == []
    chat.hold = False
    chat.advance(50)
    assert chat.room().tip == chat.log()[-1].position


def test_a_hint_without_entries_has_the_node_look() -> None:
    chat = apart()
    chat.write("hello")
    chat.step(Fed(Hint(LOBBY, ())))
    assert chat.room().tip == chat.log()[-1].position


def test_hints_that_come_twice_late_or_turned_round_change_nothing_in_the_end() -> None:
    chat = apart()
    chat.write("one")
    chat.write("two")
    chat.write("three")
    entries = chat.log()
    for first, last in ((4, 5), (3, 4), (0, 2), (2, 5), (4, 5)):
        chat.step(Fed(Hint(LOBBY, tuple(entries[first:last]))))
    said = [event.message.text for event in only(Posted, chat.take(ALICE))]
    assert said == ["one", "two", "three"]


def test_hints_and_signals_of_rooms_not_served_are_ignored() -> None:
    chat = Chat()
    entry = LogBuilder().add(entered(arrival("bob")))
    assert chat.step(Fed(Hint(LOBBY, (entry,)))) == []
    assert chat.step(Fed(StoreSignal(LOBBY, b"\xc1"))) == []


def test_a_signal_of_a_later_version_is_ignored() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    assert chat.step(Fed(StoreSignal(LOBBY, b"\xc1"))) == []


def test_after_an_interruption_every_tip_is_compared_at_once() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.join(alice, "garden")
    chat.hold = True
    (asked,) = only(ReadTips, chat.step(Fed(Interrupted())))
    assert set(asked.rooms) == {"lobby", "garden"}
    assert only(ReadTips, chat.step(Fed(Interrupted()))) == [], "one question at a time"


def test_idle_rooms_are_compared_rarely() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000))
    alice = chat.open("alice")
    chat.join(alice)
    asked: list[int] = []
    for _ in range(120):
        chat.hold = True
        chat.world.clock.move_to(chat.world.clock.mono + 1_000)
        chat.node.tick()
        if chat.waiting(ReadTips):
            asked.append(chat.world.clock.mono)
        chat.settle()
    assert asked[:6] == [5_000, 10_000, 15_000, 20_000, 25_000, 30_000]
    assert {later - earlier for earlier, later in pairwise(asked[6:])} == {30_000}


def test_tips_that_cannot_be_read_are_asked_for_again() -> None:
    chat = apart()
    chat.write("hello")
    chat.hold = True
    chat.step(Fed(Interrupted()))
    chat.node.pending.clear()
    chat.step(TipsRead((LOBBY,), None))
    chat.hold = False
    chat.advance(5_000)
    assert chat.room().tip == chat.log()[-1].position


def test_a_tip_below_ours_is_a_fork() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000))
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    chat.take(alice)
    chat.advance(5_000)
    assert chat.take(alice)[0] == GapTold(LOBBY, "forked")
    assert chat.room().tip == chat.log()[-1].position


def test_another_link_at_our_tip_is_a_fork() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000))
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    chat.write("another")
    chat.take(alice)
    chat.advance(5_000)
    gap, joined, *_ = chat.take(alice)
    assert gap == GapTold(LOBBY, "forked")
    assert isinstance(joined, RoomJoined)
    assert [message.text for message in joined.messages] == ["another"]


def test_what_is_folded_after_asking_for_tips_is_no_fork() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    chat.hold = True
    chat.step(Fed(Interrupted()))
    tip = chat.log()[-1]
    chat.node.pending.clear()
    chat.hold = False
    chat.say(alice, "hello")
    chat.step(TipsRead((LOBBY,), {LOBBY: Tip(tip.seq, tip.link, 0)}))
    assert chat.take(alice) == []


def test_a_log_trimmed_past_our_tip_is_told_as_a_gap() -> None:
    chat = apart(
        Limits(
            log_entries=4,
            snapshot_every=4,
            replay_entries=1,
            heartbeat_ms=600_000,
            messages_burst=99,
        )
    )
    for number in range(12):
        chat.say(BOB, str(number))
    chat.take(ALICE)
    chat.step(Fed(Interrupted()))
    gap, joined, *_ = chat.take(ALICE)
    assert gap == GapTold(LOBBY, "trimmed")
    assert isinstance(joined, RoomJoined)
    assert joined.position == chat.log()[-2].position, "after it comes our own statement"


def test_a_room_served_before_it_had_a_log_catches_up_with_a_trimmed_one() -> None:
    """Rule 6: a gap is read; where the log no longer begins at 1, that cannot fill it."""
    limits = Limits(
        log_entries=4,
        snapshot_every=4,
        replay_entries=1,
        heartbeat_ms=600_000,
        messages_burst=99,
    )
    chat = Chat(limits, nodes=2)
    chat.world.hints = lambda node, item: False
    chat.step(Watched(LOBBY))
    chat.join(chat.open("bob", node=chat.nodes[1]))
    for number in range(12):
        chat.say(BOB, str(number))
    chat.hold = True
    chat.step(Fed(Interrupted()))
    perform_next(chat, ReadTips)
    perform_next(chat, ReadLog)
    assert kinds(list(chat.node.pending)) == [LoadRoom], "reading again would be for ever"
    chat.settle()
    assert chat.room().tip == chat.log()[-1].position


def test_a_gap_leaves_no_typist_behind() -> None:
    """Every clearing is sent; protocol 1 has no snapshot that would say who types."""
    chat = Chat(Limits(heartbeat_ms=600_000))
    alice, bob = chat.open("alice"), chat.open("bob", protocol=1)
    chat.join(alice)
    chat.join(bob)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    chat.take(bob)
    chat.send(alice, TypingStart(room="lobby"))
    chat.advance(5_999)
    told = chat.take(bob)
    assert only(GapTold, told) == [GapTold(LOBBY, "forked")]
    chat.advance(1)
    told += chat.take(bob)
    assert [event.username for event in only(TypingStopped, told)] == ["alice"]


def off(chat: Chat) -> None:
    """Alice and bob join, and the roster, with room for one, goes off."""
    chat.join(chat.open("alice"))
    chat.join(chat.open("bob"))
    assert not chat.room().shown


def test_counting_goes_on_after_a_room_was_loaded_again() -> None:
    """Rule 9: each node with occupants signals its count every 3 s."""
    chat = Chat(Limits(roster_limit=1, roster_return=1, heartbeat_ms=600_000))
    off(chat)
    chat.write("lost")
    chat.step(Fed(Hint(LOBBY, tuple(chat.log()[-1:]))))
    kept = chat.kept()
    chat.write("lost as well")
    chat.step(Fed(Hint(LOBBY, tuple(chat.log()[-1:]))))
    chat.put_back(kept)
    chat.hold = True
    chat.step(Fed(Interrupted()))
    perform_next(chat, ReadTips)
    assert len(chat.waiting(LoadRoom)) == 1
    chat.world.clock.move_to(chat.world.clock.mono + 3_000)
    chat.node.tick()
    chat.settle()
    assert (Timer.OCCUPANCY, LOBBY) in chat.node.engine.state.timers


def test_counting_begins_when_a_room_is_loaded_again_with_its_roster_off() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000))
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    chat.write_facts(facts.RosterSwitched(False))
    chat.hold = True
    chat.step(Fed(Interrupted()))
    perform_next(chat, ReadTips)
    perform_next(chat, LoadRoom)
    assert not chat.room().shown
    chat.settle()
    assert (Timer.OCCUPANCY, LOBBY) in chat.node.engine.state.timers


def test_the_ten_seconds_of_a_low_count_begin_anew_at_load() -> None:
    """Rule 9: at load, at an interruption, and when the sum exceeds the bound."""
    chat = Chat(Limits(roster_limit=1, roster_return=1, heartbeat_ms=600_000))
    off(chat)
    kept = chat.kept()
    chat.write("lost")
    chat.step(Fed(Hint(LOBBY, tuple(chat.log()[-1:]))))
    chat.put_back(kept)
    chat.drop(BOB)
    chat.hold = True
    chat.node.pending.clear()
    served = chat.served()
    served.low_since = chat.world.clock.mono
    chat.step(Fed(Hint(LOBBY, (forked_entry(chat),))))
    perform_next(chat, LoadRoom)
    assert chat.served().low_since is None


def forked_entry(chat: Chat) -> Entry:
    """An entry that stands at our tip in another log."""
    chat.write("another")
    return chat.log()[-1]


def test_a_position_before_the_first_entry_is_the_origin() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    (joined,) = only(RoomJoined, chat.send(alice, JoinRoom(room="lobby", since=ORIGIN)))
    assert (joined.recovered, joined.position) == (True, ORIGIN)


def test_a_fork_is_told_to_watchers_too() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000))
    chat.step(Watched(LOBBY))
    alice = chat.open("alice")
    chat.join(alice)
    kept = chat.kept()
    chat.say(alice, "lost")
    chat.put_back(kept)
    chat.step(Fed(Interrupted()))
    assert GapTold(LOBBY, "forked") in chat.node.watched[LOBBY]


def test_another_link_where_reading_began_is_a_fork() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    kept = chat.kept()
    chat.say(ALICE, "lost")
    chat.put_back(kept)
    chat.write("one", "two")
    chat.take(ALICE)
    chat.step(Fed(Hint(LOBBY, ())))
    gap, joined, *_ = chat.take(ALICE)
    assert gap == GapTold(LOBBY, "forked")
    assert isinstance(joined, RoomJoined)
    assert [message.text for message in joined.messages] == ["one", "two"]


def test_what_follows_a_fork_in_one_hint_is_not_folded() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    kept = chat.kept()
    chat.say(ALICE, "lost")
    chat.put_back(kept)
    chat.write("one", "two")
    chat.hold = True
    chat.step(Fed(Hint(LOBBY, tuple(chat.log()[1:]))))
    assert chat.served().room is None
    assert len(chat.waiting(LoadRoom)) == 1


def test_a_pause_that_ends_while_the_room_is_loading_does_not_load_it_twice() -> None:
    chat = Chat()
    chat.join(chat.open("alice"))
    kept = chat.kept()
    chat.say(ALICE, "lost")
    chat.hold = True
    chat.say(ALICE, "unknown")
    chat.append(Unknown("no answer"))
    chat.put_back(kept)
    chat.write("one")
    chat.step(Fed(Hint(LOBBY, tuple(chat.log()[1:]))))
    assert len(chat.waiting(LoadRoom)) == 1
    chat.world.clock.move_to(50)
    chat.node.tick()
    assert len(chat.waiting(LoadRoom)) == 1
    chat.settle()
    chat.advance(1_000)
    said = [message.text for message in chat.served().history.messages]
    assert said == ["one", "unknown"]


def test_a_long_gap_is_read_piece_by_piece() -> None:
    chat = apart(Limits(replay_entries=3, heartbeat_ms=600_000))
    chat.write(*"abcdefgh")
    chat.take(ALICE)
    chat.hold = True
    chat.step(Fed(Hint(LOBBY, ())))
    pieces: list[int] = []
    while chat.waiting(ReadLog):
        pieces.append(chat.waiting(ReadLog)[0].after)
        perform_next(chat, ReadLog)
    assert pieces == [1, 4, 7]
    said = [event.message.text for event in only(Posted, chat.take(ALICE))]
    assert said == list("abcdefgh")
