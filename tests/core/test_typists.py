"""Who is typing, and until when."""

from roomkit.core.typists import Typist, Typists
from roomkit.ids import ConnectionId, UserId

ALICE, BOB = UserId("u-alice"), UserId("u-bob")
PHONE, LAPTOP = ConnectionId("phone"), ConnectionId("laptop")


def typing(name: str, now: int, connection: ConnectionId | None = PHONE) -> Typist:
    return Typist(name, now, now + 6_000, connection)


def test_nobody_types_at_first() -> None:
    typists = Typists()
    assert (typists.next_expiry, typists.names(20), typists.expired(0)) == (None, (), [])
    assert typists.stop(ALICE) is None


def test_a_repetition_too_early_is_not_shown_and_keeps_the_typist() -> None:
    typists = Typists()
    assert typists.start(ALICE, typing("alice", 0), 3_000)
    assert not typists.start(ALICE, typing("alice", 2_999), 3_000)
    assert typists.next_expiry == 8_999
    assert typists.start(ALICE, typing("alice", 3_000), 3_000)
    assert typists.next_expiry == 9_000


def test_names_are_in_the_order_in_which_they_began() -> None:
    typists = Typists()
    typists.start(BOB, typing("bob", 0), 3_000)
    typists.start(ALICE, typing("alice", 1), 3_000)
    typists.start(BOB, typing("bob", 4_000), 3_000)
    assert typists.names(20) == ("bob", "alice")
    assert typists.names(1) == ("bob",)


def test_a_typist_is_expired_from_the_very_millisecond_on() -> None:
    typists = Typists()
    typists.start(ALICE, typing("alice", 0), 3_000)
    typists.start(BOB, typing("bob", 500), 3_000)
    assert typists.expired(5_999) == []
    assert typists.expired(6_000) == [ALICE]
    stopped = typists.stop(ALICE)
    assert stopped is not None and stopped.username == "alice"
    assert typists.next_expiry == 6_500


def test_typing_belongs_to_the_connection_it_came_from_last() -> None:
    typists = Typists()
    typists.start(ALICE, typing("alice", 0), 3_000)
    typists.start(BOB, typing("bob", 0, None), 3_000)
    assert typists.of_connection(PHONE) == [ALICE]
    typists.start(ALICE, typing("alice", 1_000, LAPTOP), 3_000)
    assert (typists.of_connection(PHONE), typists.of_connection(LAPTOP)) == ([], [ALICE])
