"""The fold: what each kind of fact does to a room and what clients are told of it."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomkit.core import facts
from roomkit.core.events import (
    Advanced,
    Departed,
    EntryEvent,
    Message,
    Moderated,
    OccupantChanged,
    OccupantView,
    Posted,
    RosterChanged,
)
from roomkit.core.room import FORMAT, Room
from roomkit.core.storage import Snapshot
from roomkit.ids import ORIGIN, Position, RoomId, SessionId, UserId
from tests.core.log_builder import (
    N1,
    N2,
    LogBuilder,
    arrival,
    chain,
    departure,
    entered,
    left,
)

LOBBY = RoomId("lobby")
ALICE, BOB = UserId("u-alice"), UserId("u-bob")


class Folded:
    """A room and the log it is folded from."""

    def __init__(self, *before: facts.Fact) -> None:
        self.log = LogBuilder()
        self.room = Room(LOBBY)
        for fact in before:
            self.fold(fact)

    def fold(self, fact: facts.Fact | bytes, at: int = 0) -> EntryEvent:
        entry = self.log.add(fact, at)
        return self.room.apply(entry, facts.decode(entry.fact))

    def link(self) -> str:
        return self.log.entries[-1].link

    def changed(self, **changes: object) -> RosterChanged:
        """The roster_changed that the last entry ought to be."""
        at = self.log.entries[-1].at
        seq = len(self.log.entries)
        return RosterChanged(LOBBY, seq, self.link(), at, **{"shown": True, **changes})  # type: ignore[arg-type]  # fields by name, as a test gives them


def view(name: str, sessions: int = 1, since: int = 0) -> OccupantView:
    return OccupantView(UserId(f"u-{name}"), name, sessions, since)


def test_an_empty_room_stands_at_the_origin() -> None:
    room = Room(LOBBY)
    assert (room.tip, room.fence, room.shown, room.posted) == (ORIGIN, "", True, 0)


def test_a_message_is_shown_and_counted() -> None:
    folded = Folded()
    fact = facts.Posted(ALICE, "alice", "hello", False, "k1", "1-abc", {"mood": "good"})
    event = folded.fold(fact, at=7)
    assert event == Posted(
        LOBBY,
        Message(
            1, folded.link(), 7, ALICE, "alice", "hello", False, "k1", "1-abc", {"mood": "good"}
        ),
    )
    assert (event.seq, event.link) == (1, folded.link())
    assert folded.room.posted == 1
    assert folded.room.tip == Position(1, folded.link())


def test_entering_makes_an_occupant_who_came_when_the_entry_says() -> None:
    folded = Folded()
    event = folded.fold(entered(arrival("alice"), arrival("bob", ago_ms=40)), at=100)
    assert event == folded.changed(joined=(view("alice", since=100), view("bob", since=60)))
    assert folded.room.holds(ALICE, SessionId("u-alice-1"), N1)
    assert not folded.room.holds(ALICE, SessionId("u-alice-1"), N2)
    assert folded.room.nodes() == {N1}


def test_a_second_session_changes_the_number_and_nothing_else() -> None:
    folded = Folded(entered(arrival("alice")))
    event = folded.fold(entered(arrival("alice", tab=2)))
    assert event == folded.changed(changed=(OccupantChanged(ALICE, 2),))


def test_two_sessions_of_one_user_entering_together_are_one_joining() -> None:
    folded = Folded()
    event = folded.fold(entered(arrival("alice"), arrival("alice", tab=2)))
    assert event == folded.changed(joined=(view("alice", sessions=2),))


def test_a_session_entering_at_another_node_moves_there_unseen() -> None:
    folded = Folded(entered(arrival("alice")))
    event = folded.fold(entered(arrival("alice"), node=N2))
    assert event == Advanced(LOBBY, 2, folded.link())
    assert folded.room.nodes() == {N2}


@pytest.mark.parametrize("name", ["alice", "ALICE", "ａｌｉｃｅ"])
def test_the_first_to_enter_has_the_name(name: str) -> None:
    folded = Folded(entered(arrival("alice")))
    event = folded.fold(entered(arrival(name, user="u-other")))
    assert event == Advanced(LOBBY, 2, folded.link())
    assert folded.room.holder(name) == ALICE


def test_of_two_entering_in_one_entry_under_one_name_the_first_wins() -> None:
    folded = Folded()
    event = folded.fold(entered(arrival("alice"), arrival("Alice", user="u-other")))
    assert event == folded.changed(joined=(view("alice"),))


def test_leaving_takes_the_user_with_the_last_session() -> None:
    folded = Folded(entered(arrival("alice"), arrival("alice", tab=2), arrival("bob")))
    event = folded.fold(left(departure("alice")))
    assert event == folded.changed(changed=(OccupantChanged(ALICE, 1),))
    event = folded.fold(left(departure("alice", tab=2, reason="dropped")))
    assert event == folded.changed(left=(Departed(ALICE, "alice", "dropped"),))
    assert folded.room.holder("alice") is None


def test_leaving_counts_only_at_the_node_that_wrote_it() -> None:
    folded = Folded(entered(arrival("alice")), entered(arrival("alice"), node=N2))
    event = folded.fold(left(departure("alice")))
    assert event == Advanced(LOBBY, 3, folded.link())
    assert folded.room.nodes() == {N2}


def test_a_lost_node_takes_its_sessions_along() -> None:
    folded = Folded(
        entered(arrival("alice"), arrival("bob")),
        entered(arrival("bob", tab=2), node=N2),
    )
    event = folded.fold(facts.NodeLost(N1))
    assert event == folded.changed(
        left=(Departed(ALICE, "alice", "node_lost"),), changed=(OccupantChanged(BOB, 1),)
    )
    assert folded.fold(facts.NodeLost(N1)) == Advanced(LOBBY, 4, folded.link())


def test_a_statement_removes_whoever_it_does_not_list() -> None:
    folded = Folded(
        entered(arrival("alice"), arrival("bob")),
        entered(arrival("carol"), node=N2),
    )
    event = folded.fold(facts.Entered(N1, [arrival("alice"), arrival("dave")], all=True))
    assert event == folded.changed(
        joined=(view("dave"),), left=(Departed(BOB, "bob", "restated"),), stated=True
    )
    assert set(folded.room.roster) == {ALICE, "u-carol", "u-dave"}


def test_a_statement_under_a_new_id_names_the_former_one() -> None:
    folded = Folded(entered(arrival("alice"), arrival("bob")))
    event = folded.fold(facts.Entered(N2, [arrival("alice")], all=True, former=N1))
    assert event == folded.changed(left=(Departed(BOB, "bob", "restated"),), stated=True)
    assert folded.room.nodes() == {N2}


def test_a_statement_that_changes_nothing_is_not_seen() -> None:
    folded = Folded(entered(arrival("alice")))
    event = folded.fold(facts.Entered(N1, [arrival("alice")], all=True))
    assert event == Advanced(LOBBY, 2, folded.link())


def test_stated_twins_stay_until_one_leaves_and_the_other_takes_the_name() -> None:
    folded = Folded(entered(arrival("alice")))
    twin = arrival("alice", user="u-twin")
    event = folded.fold(facts.Entered(N2, [twin], all=True))
    assert event == folded.changed(
        joined=(OccupantView(UserId("u-twin"), "alice", 1, 0),), stated=True
    )
    assert folded.room.holder("alice") == ALICE
    folded.fold(left(departure("alice")))
    assert folded.room.holder("alice") == "u-twin"
    folded.fold(facts.Left(N2, [facts.Departure(twin.session, twin.user_id, "left")]))
    assert folded.room.holder("alice") is None


def test_a_twin_who_leaves_first_does_not_take_the_name_along() -> None:
    twin = arrival("alice", user="u-twin")
    folded = Folded(entered(arrival("alice")), facts.Entered(N2, [twin], all=True))
    folded.fold(facts.Left(N2, [facts.Departure(twin.session, twin.user_id, "left")]))
    assert folded.room.holder("alice") == ALICE


def test_switching_the_roster_off_clears_it_and_on_begins_it_anew() -> None:
    folded = Folded(entered(arrival("alice")))
    event = folded.fold(facts.RosterSwitched(False))
    assert event == folded.changed(shown=False, switched=True)
    assert (folded.room.shown, folded.room.roster, folded.room.names) == (False, {}, {})
    assert folded.room.fence == folded.link()
    assert folded.fold(entered(arrival("bob"))) == Advanced(LOBBY, 3, folded.link())
    assert folded.fold(left(departure("alice"))) == Advanced(LOBBY, 4, folded.link())
    assert folded.fold(facts.RosterSwitched(False)) == Advanced(LOBBY, 5, folded.link())
    assert folded.fold(facts.RosterSwitched(True)) == folded.changed(switched=True)
    assert folded.fold(entered(arrival("bob"))) == folded.changed(joined=(view("bob"),))


def test_a_kick_takes_all_sessions_on_every_node() -> None:
    folded = Folded(entered(arrival("alice")), entered(arrival("alice", tab=2), node=N2))
    event = folded.fold(facts.Moderated("kick", ALICE, "alice", "bob", "too loud"), at=5)
    assert event == Moderated(
        LOBBY, 3, folded.link(), 5, "kick", ALICE, "alice", "bob", "too loud", removed=True
    )
    assert folded.room.roster == {}
    assert folded.room.holder("alice") is None
    assert folded.room.fence == folded.link()
    event = folded.fold(facts.Moderated("kick", ALICE, "alice", "bob"))
    assert event == Moderated(LOBBY, 4, folded.link(), 0, "kick", ALICE, "alice", "bob")


def test_an_act_this_version_does_not_know_is_told_and_removes_nobody() -> None:
    folded = Folded(entered(arrival("alice")))
    event = folded.fold(facts.Moderated("frown", ALICE, "alice", "bob"))
    assert event == Moderated(LOBBY, 2, folded.link(), 0, "frown", ALICE, "alice", "bob")
    assert ALICE in folded.room.roster


def test_a_fact_of_an_unknown_kind_takes_its_place_unseen() -> None:
    folded = Folded()
    event = folded.fold(b"\x81\xa4type\xa6future")
    assert event == Advanced(LOBBY, 1, folded.link())
    assert folded.room.tip == Position(1, folded.link())


def test_a_snapshot_of_a_newer_format_is_not_read() -> None:
    kept = Room(LOBBY).snapshot()
    newer = Snapshot(kept.position, FORMAT + 1, kept.state)
    with pytest.raises(ValueError, match="saved in format 2; this version reads up to 1"):
        Room.restore(LOBBY, newer)


# Any history of a few people on two nodes.

names = st.sampled_from(["alice", "Alice", "bob", "carol"])
users = st.sampled_from(["u-alice", "u-bob", "u-carol"])
nodes = st.sampled_from([N1, N2])
sessions = st.tuples(users, st.integers(1, 2))
arrivals = st.builds(
    lambda who, name: facts.Arrival(SessionId(f"{who[0]}-{who[1]}"), UserId(who[0]), name),
    sessions,
    names,
)
departures = st.builds(
    lambda who, reason: facts.Departure(SessionId(f"{who[0]}-{who[1]}"), UserId(who[0]), reason),
    sessions,
    st.sampled_from(["left", "dropped"]),
)
any_fact = st.one_of(
    st.builds(facts.Posted, users.map(UserId), names, st.just("hello")),
    st.builds(facts.Entered, nodes, st.lists(arrivals, min_size=1, max_size=3)),
    st.builds(
        facts.Entered,
        nodes,
        st.lists(arrivals, max_size=3),
        st.just(True),
        st.one_of(st.none(), nodes),
    ),
    st.builds(facts.Left, nodes, st.lists(departures, min_size=1, max_size=3)),
    st.builds(facts.NodeLost, nodes),
    st.builds(facts.RosterSwitched, st.booleans()),
    st.builds(
        facts.Moderated,
        st.sampled_from(["kick", "frown"]),
        users.map(UserId),
        names,
        st.just("host"),
    ),
)
histories = st.lists(any_fact, max_size=25)


def shown_by(room: Room) -> tuple[bool, dict[UserId, tuple[str, int]]]:
    """What a snapshot of the room would tell a client of its people."""
    return room.shown, {
        user_id: (occupant.username, len(occupant.sessions))
        for user_id, occupant in room.roster.items()
    }


def told(
    shown: bool, people: dict[UserId, tuple[str, int]], event: EntryEvent
) -> tuple[bool, dict[UserId, tuple[str, int]]]:
    """What a client knows after one more event."""
    people = dict(people)
    if isinstance(event, Moderated) and event.removed:
        del people[event.user_id]
    if isinstance(event, RosterChanged):
        shown = event.shown
        if event.switched:
            people.clear()
        for departed in event.left:
            assert people.pop(departed.user_id)[0] == departed.username
        for occupant in event.joined:
            assert occupant.user_id not in people
            people[occupant.user_id] = (occupant.username, occupant.sessions)
        for changed in event.changed:
            people[changed.user_id] = (people[changed.user_id][0], changed.sessions)
    return shown, people


@given(histories)
def test_the_events_after_a_snapshot_make_the_later_snapshot(history: list[facts.Fact]) -> None:
    """Law 5, for the roster; and law 8: whoever joins was away, whoever leaves was there."""
    room = Room(LOBBY)
    known = shown_by(room)
    for entry in chain(history):
        event = room.apply(entry, facts.decode(entry.fact))
        assert (event.seq, event.link) == (entry.seq, entry.link)
        known = told(*known, event)
        assert known == shown_by(room)


@given(histories, st.data())
def test_a_restored_room_goes_on_as_the_one_that_was_saved(
    history: list[facts.Fact], data: st.DataObject
) -> None:
    entries = chain(history)
    cut = data.draw(st.integers(0, len(entries)))
    whole, room = Room(LOBBY), Room(LOBBY)
    events = [whole.apply(entry, facts.decode(entry.fact)) for entry in entries]
    for entry in entries[:cut]:
        room.apply(entry, facts.decode(entry.fact))
    before = deepcopy(room)
    restored = Room.restore(LOBBY, room.snapshot())
    assert restored == before
    later = [restored.apply(entry, facts.decode(entry.fact)) for entry in entries[cut:]]
    assert later == events[cut:]
    assert restored == whole


@given(histories)
def test_names_and_people_agree(history: list[facts.Fact]) -> None:
    """Every occupant's name has a holder with that name, and nobody else has one."""
    room = Room(LOBBY)
    for entry in chain(history):
        room.apply(entry, facts.decode(entry.fact))
        keys = {occupant.key for occupant in room.roster.values()}
        assert set(room.names) == keys
        assert all(room.roster[user_id].key == key for key, user_id in room.names.items())
        assert all(occupant.sessions for occupant in room.roster.values())
