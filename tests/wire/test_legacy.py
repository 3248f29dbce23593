"""What a protocol-1 connection is sent for each event: whole frames, in order, of eight types."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from roomkit.core import events
from roomkit.core.events import Event, OccupantView, User, Welcomed
from roomkit.errors import ErrorCode
from roomkit.ids import ORIGIN, SessionId, UserId
from tests.wire.client import CODEC, LINK
from tests.wire.examples import (
    ALICE,
    ALICE_HERE,
    BOB,
    FRAMES,
    HELLO,
    HELLO_DATA,
    ISO_NOON,
    JOINED,
    LOBBY,
    NOON,
)

BOB_HERE = OccupantView(BOB, "bob", 1, NOON)


def sent(event: Event) -> list[tuple[str, dict[str, object]]]:
    frames = [json.loads(frame) for frame in CODEC.encode(event, 1)]
    return [(frame["type"], frame["data"]) for frame in frames]


def came(username: str, user_id: str) -> tuple[str, dict[str, object]]:
    return "user_joined", {
        "room": "lobby",
        "username": username,
        "message": f"{username} joined the room",
        "timestamp": ISO_NOON,
        "type": "system",
        "user_id": user_id,
    }


def went(username: str, user_id: str, reason: str) -> tuple[str, dict[str, object]]:
    return "user_left", {
        "room": "lobby",
        "username": username,
        "message": f"{username} left the room",
        "timestamp": ISO_NOON,
        "type": "system",
        "user_id": user_id,
        "reason": reason,
    }


def test_a_joiner_gets_history_then_users() -> None:
    assert sent(JOINED) == [
        ("message_history", {"room": "lobby", "messages": [HELLO_DATA]}),
        ("room_users", {"room": "lobby", "users": ["alice"], "total": 1, "truncated": False}),
    ]


def test_a_joiner_of_a_crowded_room_gets_the_count_and_no_names() -> None:
    joined = events.RoomJoined(
        LOBBY, None, ORIGIN, None, (), (), 0, 6000, total=900, shown=False, occupants=(ALICE_HERE,)
    )
    assert sent(joined) == [
        ("message_history", {"room": "lobby", "messages": []}),
        ("room_users", {"room": "lobby", "users": [], "total": 900, "truncated": True}),
    ]


def test_each_who_came_and_each_who_went_is_one_frame() -> None:
    changed = events.RosterChanged(
        LOBBY,
        9,
        LINK,
        NOON,
        True,
        joined=(ALICE_HERE, BOB_HERE),
        left=(events.Departed(UserId("u-carol"), "carol", "dropped"),),
        changed=(events.OccupantChanged(UserId("u-dan"), 3),),
    )
    assert sent(changed) == [
        came("alice", "u-alice"),
        came("bob", "u-bob"),
        went("carol", "u-carol", "dropped"),
    ]


@pytest.mark.parametrize(("switched", "stated"), [(True, False), (False, True), (True, True)])
def test_nobody_comes_or_goes_by_a_switch_or_a_statement(switched: bool, stated: bool) -> None:
    changed = events.RosterChanged(
        LOBBY, 9, LINK, NOON, True, joined=(ALICE_HERE,), switched=switched, stated=stated
    )
    assert sent(changed) == []


def test_a_kick_is_a_leave_if_the_user_was_there() -> None:
    def kick(removed: bool) -> Event:
        return events.Moderated(LOBBY, 9, LINK, NOON, "kick", BOB, "bob", "host", "spam", removed)

    assert sent(kick(True)) == [went("bob", "u-bob", "kicked")]
    assert sent(kick(False)) == []


def test_a_list_of_users_is_their_names() -> None:
    listed = events.RosterListed(LOBBY, "r", (ALICE_HERE, BOB_HERE), 5, True)
    assert sent(listed) == [
        ("room_users", {"room": "lobby", "users": ["alice", "bob"], "total": 5, "truncated": True})
    ]


def test_a_page_is_just_its_messages() -> None:
    assert sent(events.HistoryListed(LOBBY, "r", (HELLO,), True, True, False)) == [
        ("message_history", {"room": "lobby", "messages": [HELLO_DATA]})
    ]


def test_an_error_has_no_ref() -> None:
    failure = events.Failure(ErrorCode.RATE_LIMITED, "slower", "r", "lobby", 250)
    assert sent(failure) == [
        (
            "error",
            {
                "message": "slower",
                "code": "rate_limited",
                "retryable": True,
                "room": "lobby",
                "retry_after_ms": 250,
            },
        )
    ]


SHARED = (events.Posted, events.TypingStarted, events.TypingStopped)
UNTOLD = (
    events.Acked,
    events.Advanced,
    events.GapTold,
    events.MessageDeleted,
    events.MessageEdited,
    events.OccupancyCounted,
    events.Pinged,
    events.Ponged,
    events.ReconnectAdvised,
    events.RoomLeft,
    events.SignalSent,
)
SHOWN_ABOVE = (
    events.Failure,
    events.HistoryListed,
    events.Moderated,
    events.RoomJoined,
    events.RosterChanged,
    events.RosterListed,
)


def examples_of(*kinds: type[Event]) -> list[Event]:
    return [event for event, *_ in FRAMES if isinstance(event, kinds)]


def test_every_event_is_shared_untold_or_shown_above() -> None:
    assert {*SHARED, *UNTOLD, *SHOWN_ABOVE, Welcomed} == set(get_args(Event))


@pytest.mark.parametrize("event", examples_of(*SHARED), ids=lambda event: type(event).__name__)
def test_messages_and_typing_are_the_same_bytes_in_both_protocols(event: Event) -> None:
    assert CODEC.encode(event, 1) == CODEC.encode(event, 2)


@pytest.mark.parametrize("event", examples_of(*UNTOLD), ids=lambda event: type(event).__name__)
def test_the_rest_is_not_told(event: Event) -> None:
    assert CODEC.encode(event, 1) == ()


def test_there_is_no_welcome() -> None:
    assert CODEC.encode(Welcomed(User(ALICE, "alice"), SessionId("s1"), False, NOON), 1) == ()
