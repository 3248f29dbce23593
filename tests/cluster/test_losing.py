"""The judge of losses finds what was not told, and lets pass what was."""

from __future__ import annotations

from tests.cluster.losing import losses, stretches, untold
from tests.crash.record import Draft, Ending, Person, Record

ROOM = "general"


def message(seq: int, link: str, key: str = "") -> dict[str, object]:
    name = f"{seq}-{link}"
    return {"seq": seq, "link": link, "id": name, "user_id": "1", "idempotency_key": key or name}


def record(*history: dict[str, object], shown: list[tuple[int, str]], gaps: list[int]) -> Record:
    alice = Person("alice", shown={ROOM: shown}, gaps={ROOM: gaps})
    return Record([alice], {ROOM: Ending(history, (), {})})


def test_what_is_lost_may_have_been_shown_before_a_gap() -> None:
    kept = (message(1, "a"), message(2, "x"))
    assert untold(record(*kept, shown=[(1, "a"), (2, "b"), (2, "x")], gaps=[2])) == []


def test_what_is_lost_and_not_told_is_found() -> None:
    kept = (message(1, "a"), message(2, "x"))
    found = untold(record(*kept, shown=[(1, "a"), (2, "b")], gaps=[]))
    assert found == ["general: alice was shown what is lost and never told: [(2, 'b')]"]
    found = untold(record(*kept, shown=[(1, "a"), (2, "b")], gaps=[1]))
    assert found == ["general: alice was shown what is lost and never told: [(2, 'b')]"]


def test_a_place_with_two_links_is_found_unless_a_gap_was_told_between() -> None:
    kept = (message(1, "a"), message(2, "x"))
    found = untold(record(*kept, shown=[(1, "a"), (2, "x"), (2, "x")], gaps=[]))
    assert found == ["general: alice was shown messages twice or out of order"]


def test_a_key_that_is_stored_twice_is_found() -> None:
    kept = (message(1, "a", "k"), message(2, "x", "k"))
    assert untold(record(*kept, shown=[], gaps=[])) == ["general: the key k was stored 2 times"]


def test_an_acknowledgement_that_is_gone_needs_a_gap() -> None:
    gone = record(message(1, "a"), shown=[], gaps=[])
    gone.people[0].drafts = [Draft(ROOM, "hello", "acked", id="2-b", seq=2, link="b")]
    assert losses(gone) == 1
    assert untold(gone) == ["general: 'hello' of alice is lost, and no gap was told"]
    gone.people[0].gaps[ROOM] = [0]
    assert untold(gone) == []


def test_what_was_shown_is_divided_where_gaps_were_told() -> None:
    alice = Person("alice", shown={ROOM: [(1, "a"), (2, "b"), (1, "x")]}, gaps={ROOM: [2, 2]})
    assert stretches(alice, ROOM) == [[(1, "a"), (2, "b")], [], [(1, "x")]]
