"""Answers that change nothing: pages and lists of people."""

import pytest

from roomkit.core.commands import GetHistory, GetUsers
from roomkit.core.events import Failure, HistoryListed, OccupantView, RosterListed
from roomkit.core.inputs import HostHistory, HostPost, HostUsers
from roomkit.errors import ErrorCode
from roomkit.ids import ConnectionId, UserId
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, only

ALICE = ConnectionId("alice")


def full(limits: Limits | None = None) -> Chat:
    """Five people in the lobby, and messages 6 to 15 of alice's."""
    chat = Chat(limits or Limits(messages_burst=100))
    for name in ("alice", "bob", "carol", "dave", "erin"):
        chat.join(chat.open(name))
    for seq in range(6, 16):
        chat.say(ALICE, str(seq))
    chat.take(ALICE)
    return chat


def seqs(listed: HistoryListed) -> list[int]:
    return [message.seq for message in listed.messages]


@pytest.mark.parametrize(
    ("command", "expected", "before", "after"),
    [
        (GetHistory(room="lobby", limit=3), [13, 14, 15], True, False),
        (GetHistory(room="lobby"), list(range(6, 16)), False, False),
        (GetHistory(room="lobby", before=9, limit=2), [7, 8], True, True),
        (GetHistory(room="lobby", before=8), [6, 7], False, True),
        (GetHistory(room="lobby", before=6), [], False, True),
        (GetHistory(room="lobby", before=0), [], False, True),
        (GetHistory(room="lobby", after=13), [14, 15], True, False),
        (GetHistory(room="lobby", after=0, limit=2), [6, 7], False, True),
        (GetHistory(room="lobby", after=15), [], True, False),
        (GetHistory(room="lobby", around=10, limit=4), [8, 9, 10, 11], True, True),
        (GetHistory(room="lobby", around=10, limit=1), [10], True, True),
        (GetHistory(room="lobby", around=1, limit=2), [6], False, True),
        (GetHistory(room="lobby", around=99, limit=2), [15], True, False),
    ],
)
def test_a_page_is_cut_where_it_was_asked(
    command: GetHistory, expected: list[int], before: bool, after: bool
) -> None:
    (listed,) = only(HistoryListed, full().send(ALICE, command))
    assert seqs(listed) == expected
    assert (listed.has_before, listed.has_after, listed.complete) == (before, after, True)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            GetHistory(room="lobby", before=1, after=2),
            "send only one of before, after and around",
        ),
        (GetHistory(room="lobby", limit=0), "limit must be from 1 to 200, not 0"),
        (GetHistory(room="lobby", limit=201), "limit must be from 1 to 200, not 201"),
        (GetUsers(room="lobby", limit=201), "limit must be from 1 to 200, not 201"),
    ],
)
def test_a_page_that_cannot_be_is_a_bad_argument(
    command: GetHistory | GetUsers, message: str
) -> None:
    (told,) = full().send(ALICE, command)
    assert told == Failure(ErrorCode.BAD_ARGUMENT, message, None, "lobby")


def test_people_are_listed_by_their_ids_a_page_at_a_time() -> None:
    chat = full()
    start = chat.world.clock.now().wall

    def views(*names: str) -> tuple[OccupantView, ...]:
        return tuple(OccupantView(UserId(f"u-{name}"), name, 1, start) for name in names)

    assert chat.send(ALICE, GetUsers(room="lobby", limit=2, ref="1")) == [
        RosterListed(LOBBY, "1", views("alice", "bob"), 5, truncated=True)
    ]
    assert chat.send(ALICE, GetUsers(room="lobby", after="u-bob", limit=3)) == [
        RosterListed(LOBBY, None, views("carol", "dave", "erin"), 5, truncated=False)
    ]
    assert chat.send(ALICE, GetUsers(room="lobby", after="u-zoe")) == [
        RosterListed(LOBBY, None, (), 5, truncated=False)
    ]


def test_with_the_roster_off_only_the_number_is_told() -> None:
    chat = full(Limits(roster_limit=4, roster_return=1, messages_burst=100))
    assert chat.send(ALICE, GetUsers(room="lobby")) == [
        RosterListed(LOBBY, None, (), 5, truncated=True)
    ]


def test_the_host_reads_the_same() -> None:
    chat = full()
    (listed,) = only(HistoryListed, chat.send(ALICE, GetHistory(room="lobby", limit=3)))
    assert chat.ask(HostHistory(LOBBY, limit=3)) == listed
    (people,) = only(RosterListed, chat.send(ALICE, GetUsers(room="lobby", limit=3)))
    assert chat.ask(HostUsers(LOBBY, limit=3)) == people


def test_a_page_holds_so_many_bytes() -> None:
    chat = Chat(Limits(page_bytes=3_000))
    for _ in range(10):
        chat.ask(HostPost(LOBBY, "x" * 500))
    listed = chat.ask(HostHistory(LOBBY))
    assert isinstance(listed, HistoryListed)
    assert (seqs(listed), listed.has_before) == ([9, 10], True)
