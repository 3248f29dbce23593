"""Rosters off and on, counts, and leases."""

import subprocess
import sys

import pytest

from roomkit.core import facts, signals
from roomkit.core.commands import JoinRoom, LeaveRoom
from roomkit.core.effects import Append, FindLapsed, LoadRoom, Renew
from roomkit.core.events import (
    OccupancyCounted,
    RoomJoined,
    RosterChanged,
    RosterListed,
)
from roomkit.core.inputs import Drain, Fed, LapsedFound, LeaseRenewed, Tick, Watched
from roomkit.core.storage import Hint, Interrupted, StoreSignal
from roomkit.ids import ConnectionId, NodeId
from roomkit.limits import Limits
from roomkit.testing.world import Node, run_now
from tests.core.chat import LOBBY, Chat, only
from tests.core.log_builder import N2, arrival, entered

LOW = Limits(roster_limit=2, roster_return=1, heartbeat_ms=600_000)


def crowded(limits: Limits = LOW, nodes: int = 1) -> tuple[Chat, list[ConnectionId]]:
    """Three people where the roster holds two."""
    chat = Chat(limits, nodes=nodes)
    people = [chat.open(name) for name in ("alice", "bob", "carol")]
    for person in people:
        chat.join(person)
    assert not chat.room().shown
    return chat, people


def facts_of(chat: Chat) -> list[facts.Fact | None]:
    return [facts.decode(entry.fact) for entry in chat.log()]


def switches(chat: Chat) -> list[bool]:
    return [fact.shown for fact in facts_of(chat) if isinstance(fact, facts.RosterSwitched)]


def count(node: str, users: int, sessions: int | None = None) -> Fed:
    signal = signals.OccupancySignal(NodeId(node), users, sessions or users)
    return Fed(StoreSignal(LOBBY, signals.encode(signal)))


def test_the_roster_goes_off_past_its_limit_and_not_at_it() -> None:
    chat = Chat(LOW)
    chat.join(chat.open("alice"))
    chat.join(chat.open("bob"))
    assert switches(chat) == []
    chat.join(chat.open("carol"))
    assert switches(chat) == [False]


def test_a_statement_may_take_the_roster_past_its_limit() -> None:
    chat = Chat(LOW)
    chat.join(chat.open("alice"))
    chat.join(chat.open("bob"))
    run_now(chat.node.store.renew(N2, 60_000))
    chat.write_facts(entered(arrival("eve"), node=N2), facts.NodeLost(chat.node.engine.node))
    chat.step(Fed(Interrupted()))
    assert switches(chat) == [False]


def test_with_the_roster_off_joining_and_leaving_are_no_entries() -> None:
    chat, people = crowded()
    tip = chat.room().tip
    dave = chat.open("dave")
    (joined,) = only(RoomJoined, chat.join(dave))
    assert (joined.shown, joined.total, joined.occupants) == (False, 4, ())
    chat.send(dave, LeaveRoom(room="lobby"))
    chat.drop(people[0])
    chat.advance(15_000)
    assert chat.room().tip == tip
    assert len(chat.served().sessions) == 2


def test_with_the_roster_off_one_name_may_be_held_twice() -> None:
    chat, _ = crowded()
    twin = chat.open("twin", "", guest=True, session="s-twin")
    (joined,) = only(RoomJoined, chat.send(twin, JoinRoom(room="lobby", username="alice")))
    assert joined.total == 4


def test_members_are_told_a_changed_count_at_most_every_three_seconds() -> None:
    chat, people = crowded()
    chat.advance(0)
    alice = people[0]
    chat.take(alice)
    for number in range(5):
        chat.join(chat.open(f"d{number}"))
    assert only(OccupancyCounted, chat.take(alice)) == []
    chat.advance(3_000)
    assert chat.take(alice) == [OccupancyCounted(LOBBY, 8, 8)]
    chat.advance(9_000)
    assert chat.take(alice) == []


def test_counts_of_all_nodes_are_added_up_and_forgotten_when_they_stop_coming() -> None:
    chat, people = crowded()
    alice = people[0]
    chat.take(alice)
    chat.step(count("n7", 10, 12))
    assert chat.take(alice) == [OccupancyCounted(LOBBY, 13, 15)]
    chat.step(count("n7", 11, 13))
    chat.step(count("n8", 1))
    assert chat.take(alice) == [
        OccupancyCounted(LOBBY, 14, 16),
        OccupancyCounted(LOBBY, 15, 17),
    ]
    chat.advance(9_000)
    assert only(OccupancyCounted, chat.take(alice))[-1] == OccupancyCounted(LOBBY, 3, 3)


def test_a_count_that_comes_while_the_roster_is_on_is_kept_quiet() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    assert chat.step(count("n7", 10)) == []


def low(chat: Chat, people: list[ConnectionId]) -> None:
    """All but one leave."""
    for person in people[1:]:
        chat.send(person, LeaveRoom(room="lobby"))


def test_the_roster_comes_back_when_the_count_was_low_for_ten_seconds() -> None:
    chat, people = crowded()
    low(chat, people)
    chat.advance(3_000)
    chat.advance(9_999)
    assert switches(chat) == [False]
    chat.take(people[0])
    chat.advance(1)
    assert switches(chat) == [False, True]
    switched, stated = only(RosterChanged, chat.take(people[0]))
    assert (switched.shown, switched.switched, switched.joined) == (True, True, ())
    assert stated.stated
    assert [occupant.username for occupant in stated.joined] == ["alice"]


def test_an_interruption_begins_the_ten_seconds_anew() -> None:
    chat, people = crowded()
    low(chat, people)
    chat.advance(12_000)
    chat.step(Fed(Interrupted()))
    chat.advance(9_999)
    assert switches(chat) == [False]
    chat.advance(5_000)
    assert switches(chat) == [False, True]


def test_a_count_above_the_bound_begins_the_ten_seconds_anew() -> None:
    chat, people = crowded()
    low(chat, people)
    chat.advance(12_000)
    chat.step(count("n7", 1))
    chat.advance(500)
    chat.step(count("n7", 0))
    chat.advance(9_000)
    assert switches(chat) == [False]
    chat.advance(4_000)
    assert switches(chat) == [False, True]


def test_a_switch_no_longer_wanted_when_it_is_judged_is_dropped() -> None:
    chat, people = crowded()
    low(chat, people)
    chat.advance(3_000)
    chat.hold = True
    chat.say(people[0], "hello")
    chat.world.clock.move_to(chat.world.clock.mono + 10_000)
    chat.node.tick()
    chat.node.step(count("n7", 9))
    chat.settle()
    assert switches(chat) == [False]


def test_nobody_counts_in_a_room_without_anybody() -> None:
    chat, people = crowded()
    low(chat, [people[0], *people])
    chat.advance(15_000)
    assert switches(chat) == [False]
    assert LOBBY in chat.node.engine.state.rooms


def test_two_nodes_switch_once() -> None:
    chat = Chat(LOW, nodes=2)
    chat.join(chat.open("alice"))
    chat.join(chat.open("bob", node=chat.nodes[1]))
    carol = chat.open("carol", node=chat.nodes[1])
    chat.join(carol)
    assert switches(chat) == [False]
    chat.send(carol, LeaveRoom(room="lobby"))
    chat.drop(ConnectionId("bob"))
    chat.advance(40_000)
    assert switches(chat) == [False, True]
    assert set(chat.room().roster) == {"u-alice"}


def test_protocol_1_is_sent_one_empty_list_when_the_roster_goes_off() -> None:
    chat = Chat(LOW)
    alice = chat.open("alice", protocol=1)
    chat.join(alice)
    chat.join(chat.open("bob"))
    chat.take(alice)
    chat.join(chat.open("carol"))
    assert only(RosterListed, chat.take(alice)) == [RosterListed(LOBBY, None, (), 3, True)]


def test_protocol_1_is_sent_one_list_for_all_that_happened_in_a_tick() -> None:
    chat = Chat()
    alice = chat.open("alice", protocol=1)
    chat.join(alice)
    others = [chat.open(name) for name in ("bob", "carol")]
    chat.hold = True
    for other in others:
        chat.join(other)
    chat.take(alice)
    chat.append()
    chat.append()
    assert only(RosterListed, chat.take(alice)) == []
    chat.settle()
    (listed,) = only(RosterListed, chat.take(alice))
    assert [occupant.username for occupant in listed.occupants] == ["alice", "bob", "carol"]


# Leases


def test_the_lease_is_renewed_every_period() -> None:
    chat = Chat()
    chat.hold = True
    renewed: list[int] = []
    for _ in range(46):
        chat.world.clock.move_to(chat.world.clock.mono + 1_000)
        if only(Renew, chat.node.tick()):
            renewed.append(chat.world.clock.mono)
            chat.settle()
            chat.hold = True
    assert renewed == [15_000, 30_000, 45_000]


def two_nodes() -> Chat:
    chat = Chat(Limits(heartbeat_ms=600_000), nodes=2)
    chat.join(chat.open("alice"))
    chat.join(chat.open("bob", node=chat.nodes[1]))
    return chat


def asks_for_lapsed(chat: Chat) -> list[FindLapsed]:
    chat.hold = True
    chat.node.pending.clear()
    chat.world.clock.move_to(chat.world.clock.mono + 15_000)
    return only(FindLapsed, chat.node.tick())


def test_a_node_asks_after_those_its_rosters_name() -> None:
    chat = two_nodes()
    (asked,) = asks_for_lapsed(chat)
    assert asked.nodes == (chat.nodes[1].engine.node,)


def node_beside_a_dead_one() -> tuple[Chat, Node]:
    """Alice was at one node; the other never saw her room, and lives on."""
    chat = Chat(Limits(heartbeat_ms=600_000), nodes=2)
    chat.join(chat.open("alice"))
    chat.hold, living = True, chat.nodes[1]
    for moment in (15_000, 30_000, 45_000):
        chat.world.clock.move_to(moment)
        living.tick()
        living.settle()
    chat.open("bob", node=living)
    return chat, living


def test_a_room_is_rid_of_the_dead_as_soon_as_it_is_loaded() -> None:
    """Not a period later: they are ghosts in the list until then, and keep their names."""
    chat, living = node_beside_a_dead_one()
    chat.send(ConnectionId("bob"), JoinRoom(room="lobby"))
    living.settle()
    assert set(chat.room(node=living).roster) == {"u-bob"}


def test_rooms_loaded_while_a_question_is_open_are_asked_of_next() -> None:
    chat = Chat(nodes=3)
    newcomer, first, second = chat.nodes
    chat.join(chat.open("alice", node=first))
    chat.join(chat.open("bob", node=second), "garden")
    carol = chat.open("carol")
    chat.hold = True
    chat.join(carol)
    chat.join(carol, "garden")
    lobby, garden = chat.waiting(LoadRoom)
    assert only(FindLapsed, newcomer.perform(lobby)) == [FindLapsed((first.engine.node,))]
    assert only(FindLapsed, newcomer.perform(garden)) == []
    answered = newcomer.step(LapsedFound(()))
    assert only(FindLapsed, answered) == [FindLapsed((second.engine.node,))]


@pytest.mark.parametrize("renewed", [True, False])
def test_after_a_late_or_failed_renewal_no_lease_is_judged_for_a_period(renewed: bool) -> None:
    """Rule 10."""
    chat = two_nodes()
    node, other = chat.node.engine.node, chat.nodes[1].engine.node
    chat.hold = True
    chat.world.clock.move_to(15_000)
    chat.node.tick()
    chat.world.clock.move_to(31_000 if renewed else 16_000)
    chat.node.step(LeaseRenewed(node, renewed))
    chat.node.step(LapsedFound((other,)))
    assert chat.waiting(Append) == []
    late = chat.world.clock.mono
    chat.world.clock.move_to(late + 14_999)
    chat.node.step(LapsedFound((other,)))
    assert chat.waiting(Append) == []
    chat.world.clock.move_to(late + 15_000)
    chat.node.step(LapsedFound((other,)))
    assert len(chat.waiting(Append)) == 1


def test_who_lapsed_is_asked_once_at_a_time_and_a_late_answer_is_no_news() -> None:
    """Seed 5349 of the simulator: a store answered the newer of two questions first."""
    chat = two_nodes()
    node, other = chat.node.engine.node, chat.nodes[1].engine.node
    assert asks_for_lapsed(chat) != []
    for moment in (30_000, 45_001):
        chat.world.clock.move_to(moment)
        chat.node.step(LeaseRenewed(node, True))
        assert only(FindLapsed, chat.node.tick()) == []
    chat.node.step(LapsedFound((other,)))
    assert chat.waiting(Append) == []
    chat.world.clock.move_to(60_001)
    chat.node.step(LeaseRenewed(node, True))
    assert only(FindLapsed, chat.node.tick()) != []
    chat.node.step(LapsedFound((other,)))
    assert len(chat.waiting(Append)) == 1


def test_an_unanswered_renewal_is_a_late_one() -> None:
    chat = two_nodes()
    chat.hold = True
    chat.world.clock.move_to(15_000)
    assert only(FindLapsed, chat.node.tick()) != []
    chat.node.pending.clear()
    chat.world.clock.move_to(30_000)
    told = chat.node.tick()
    assert (only(Renew, told) != [], only(FindLapsed, told)) == (True, [])


def test_a_lost_node_is_written_down_once() -> None:
    chat = two_nodes()
    other = chat.nodes[1].engine.node
    chat.node.step(LapsedFound((other, NodeId("nobody"))))
    chat.node.step(LapsedFound((other,)))
    chat.settle()
    lost = [fact for fact in facts_of(chat) if isinstance(fact, facts.NodeLost)]
    assert lost == [facts.NodeLost(other)]
    assert set(chat.room().roster) == {"u-alice", "u-bob"}, "n2 lives, and stated its people"
    assert chat.nodes[1].engine.node != other


def test_a_node_lost_for_two_observers_is_lost_once() -> None:
    chat = Chat(Limits(heartbeat_ms=600_000), nodes=3)
    for number, name in enumerate(("alice", "bob", "carol")):
        chat.join(chat.open(name, node=chat.nodes[number]))
    third = chat.nodes.pop()
    chat.world.nodes.remove(third)
    chat.advance(60_000)
    lost = [fact for fact in facts_of(chat) if isinstance(fact, facts.NodeLost)]
    assert lost == [facts.NodeLost(third.engine.node)]
    assert set(chat.room().roster) == {"u-alice", "u-bob"}


def test_a_draining_node_renews_no_more_and_leaves_nobody() -> None:
    chat = two_nodes()
    tip = chat.room().tip
    told = chat.step(Drain("restart"))
    assert only(Renew, told) == [Renew(chat.node.engine.node, 15_000)]
    chat.drop(ConnectionId("alice"))
    chat.hold = True
    chat.world.clock.move_to(14_999)
    assert only(Renew, chat.node.tick()) == []
    assert chat.room().tip == tip


def test_a_watcher_alone_is_told_counts() -> None:
    chat = Chat(LOW, nodes=2)
    chat.step(Watched(LOBBY))
    for name in ("alice", "bob", "carol"):
        chat.join(chat.open(name, node=chat.nodes[1]))
    assert OccupancyCounted(LOBBY, 3, 3) in chat.node.watched[LOBBY]


LAPSED = """
from roomkit.core import facts
from roomkit.core.inputs import LapsedFound, Watched
from roomkit.ids import NodeId, SessionId, UserId
from roomkit.core.effects import Append
from roomkit.core.inputs import Fed
from roomkit.core.storage import Interrupted
from tests.core.chat import LOBBY, Chat

chat = Chat()
chat.step(Watched(LOBBY))
names = [f"node-{n}" for n in range(9)]
for name in names:
    arrival = facts.Arrival(SessionId(name), UserId(name), name)
    chat.write_facts(facts.Entered(NodeId(name), [arrival]))
chat.step(Fed(Interrupted()))
chat.hold = True
chat.step(LapsedFound(tuple(NodeId(name) for name in names)))
print([waiting.command.node for waiting in chat.served().queue], chat.waiting(Append)[0].facts)
"""


def test_the_same_inputs_give_the_same_effects_in_another_process() -> None:
    """Law 14: no order may come from the hash of a string, which every process salts anew."""
    found = {
        subprocess.run(
            [sys.executable, "-c", LAPSED],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


def test_a_tick_before_its_time_does_nothing() -> None:
    chat = two_nodes()
    assert chat.step(Tick()) == []


def test_what_the_engine_wants_written_waits_once() -> None:
    chat = two_nodes()
    other = chat.nodes[1].engine.node
    chat.hold = True
    chat.say(ConnectionId("alice"), "the store is slow")
    chat.node.step(LapsedFound((other,)))
    chat.node.step(LapsedFound((other,)))
    assert len(chat.served().queue) == 1


def test_a_room_being_loaded_judges_no_lease_and_lists_nobody() -> None:
    chat = two_nodes()
    carol = chat.open("carol", protocol=1)
    chat.join(carol)
    kept = chat.kept()
    chat.hold = True
    chat.node.pending.clear()
    chat.join(chat.open("dave"))
    chat.append()
    chat.put_back(kept)
    chat.write("one")
    chat.node.step(Fed(Hint(LOBBY, tuple(chat.log()[-1:]))))
    assert chat.served().room is None
    chat.take(carol)
    chat.node.tick()
    chat.node.step(LapsedFound((chat.nodes[1].engine.node,)))
    assert (chat.take(carol), list(chat.served().queue)) == ([], [])


def test_a_draining_node_declared_lost_takes_no_new_lease() -> None:
    chat = two_nodes()
    chat.step(Drain("restart"))
    chat.write_facts(facts.NodeLost(chat.node.engine.node))
    chat.hold = True
    chat.node.pending.clear()
    chat.step(Fed(Hint(LOBBY, tuple(chat.log()[-1:]))))
    assert chat.waiting(Renew) == []
