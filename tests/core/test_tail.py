"""The newest events of a room: what may be replayed, and what has been let go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomkit.core import facts
from roomkit.core.events import EntryEvent
from roomkit.core.room import Room
from roomkit.core.tail import Tail
from roomkit.ids import ORIGIN, Position, RoomId, UserId
from tests.core.log_builder import arrival, chain, departure, entered, left, posted

PLENTY = 1_000_000


def events_of(history: list[facts.Fact]) -> list[EntryEvent]:
    room = Room(RoomId("lobby"))
    return [room.apply(entry, facts.decode(entry.fact)) for entry in chain(history)]


def tail_of(events: list[EntryEvent], most: int = PLENTY, base: Position = ORIGIN) -> Tail:
    tail = Tail(base)
    for event in events:
        tail.add(event, 100, most, PLENTY)
    return tail


CHAT = events_of([entered(arrival("alice")), *(posted("alice", str(n)) for n in range(2, 10))])


@given(st.integers(1, 12), st.integers(0, 10))
def test_what_is_replayed_is_exactly_what_came_after(most: int, seq: int) -> None:
    tail = tail_of(CHAT, most)
    positions = [ORIGIN, *(Position(event.seq, event.link) for event in CHAT)]
    kept = len(CHAT) - min(most, len(CHAT))
    replay = tail.after(positions[seq]) if seq < len(positions) else tail.after(Position(seq, ""))
    assert replay == (CHAT[seq:] if kept <= seq <= len(CHAT) else None)


@given(st.lists(st.integers(0, 500), max_size=9), st.integers(200, 2_000))
def test_the_oldest_go_when_the_bytes_are_too_many(sizes: list[int], most_bytes: int) -> None:
    tail = Tail()
    for event, size in zip(CHAT, sizes, strict=False):
        tail.add(event, size, PLENTY, most_bytes)
    kept = len(tail.events)
    assert tail.size == sum(size for _, size in tail.events) <= most_bytes
    assert [event for event, _ in tail.events] == CHAT[len(sizes) - kept : len(sizes)]
    assert tail.base.seq == len(sizes) - kept
    reckoned = [size + 200 for size in sizes]
    assert kept == len(sizes) or sum(reckoned[-kept - 1 :]) > most_bytes


@pytest.mark.parametrize("seq", [0, 1, 9])
def test_another_link_at_a_known_seq_is_not_continued(seq: int) -> None:
    assert tail_of(CHAT).after(Position(seq, "f" * 16)) is None


def test_links_are_known_from_the_base_to_the_newest() -> None:
    base = Position(CHAT[3].seq, CHAT[3].link)
    tail = tail_of(CHAT[4:], base=base)
    links = [tail.link_at(seq) for seq in range(11)]
    assert links == [None] * 4 + [event.link for event in CHAT[3:]] + [None]


HISTORY = events_of(
    [
        entered(arrival("alice"), arrival("bob"), arrival("carol")),
        posted("alice", "two"),
        left(departure("bob")),
        facts.Moderated("kick", UserId("u-carol"), "carol", "host"),
        entered(arrival("dave")),
        entered(arrival("dave")),
    ]
)


@pytest.mark.parametrize(
    ("user", "seq", "spoke"),
    [
        ("u-alice", 1, True),
        ("u-alice", 2, False),
        ("u-bob", 2, True),
        ("u-bob", 3, False),
        ("u-carol", 3, True),
        ("u-carol", 4, False),
        ("u-dave", 0, False),
    ],
)
def test_a_message_a_leave_and_a_kick_end_typing_begun_before(
    user: str, seq: int, spoke: bool
) -> None:
    assert tail_of(HISTORY).spoke_since(UserId(user), seq) is spoke


def test_typing_older_than_the_tail_may_have_ended_before_it() -> None:
    tail = tail_of(HISTORY, most=1)
    assert tail.spoke_since(UserId("u-alice"), 0) is True
    assert tail.spoke_since(UserId("u-alice"), tail.base.seq) is False
