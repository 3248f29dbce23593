"""Corners of the reducer that no vector shows in full."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from roomkit.client.view import (
    KEPT_MESSAGES,
    apply,
    cut,
    expired,
    joining,
    paged_in,
    typing_until,
)
from roomkit.client.view_data import Message, RoomView, View
from roomkit.ids import Position

ROOM = "general"
LINK = "00000000000000aa"


def message(seq: int, text: str = "hello", **more: object) -> dict[str, object]:
    place = {"room": ROOM, "seq": seq, "link": LINK, "id": f"{seq}-{LINK}"}
    return {**place, "username": "bob", "user_id": "u-bob", "message": text, **more}


def view_of(*messages: dict[str, object], seq: int = 9) -> View:
    snapshot = {
        "room": ROOM,
        "seq": seq,
        "link": LINK,
        "recovered": None,
        "gap": None,
        "you": None,
        "typing": {"users": ["bob"], "total": 1, "expires_ms": 6_000},
        "total": 0,
        "roster": "on",
        "messages": list(messages),
        "occupants": [],
        "has_before": True,
    }
    return apply(joining(View(), ROOM), {"type": "room_joined", "data": snapshot}, 1_000)


def room_of(view: View) -> RoomView:
    return view.rooms[ROOM]


def seqs(view: View) -> list[int]:
    return [one["seq"] for one in room_of(view).messages]


def paged(view: View, before: int, *messages: dict[str, object], **data: object) -> View:
    return paged_in(view, ROOM, {"messages": list(messages), **data}, before)


def test_a_frame_that_says_nothing_new_gives_the_very_same_view() -> None:
    view = view_of()
    assert apply(view, {"type": "new_message", "data": message(9)}, 0) is view
    elsewhere = {**message(10), "room": "other"}
    assert apply(view, {"type": "new_message", "data": elsewhere}, 0) is view
    for kind in ("ack", "error", "room_users", "message_history"):
        assert apply(view, {"type": kind, "data": message(10)}, 0) is view


def test_what_a_frame_does_not_touch_is_shared() -> None:
    view = joining(view_of(message(3)), "other")
    after = apply(view, {"type": "new_message", "data": message(10)}, 0)
    assert after.rooms["other"] is view.rooms["other"]
    assert room_of(after).messages[0] is room_of(view).messages[0]


def test_the_newest_messages_are_held_and_the_rest_can_be_paged() -> None:
    view = view_of(*(message(seq) for seq in range(1, KEPT_MESSAGES + 1)), seq=KEPT_MESSAGES)
    newest = KEPT_MESSAGES + 1
    view = apply(view, {"type": "new_message", "data": message(newest)}, 0)
    room = room_of(view)
    assert seqs(view) == list(range(2, newest + 1))
    assert (room.held_from, room.has_before) == (2, True)
    view = paged(view, 2, message(1), has_before=False, complete=True)
    assert seqs(view) == list(range(1, newest + 1))
    assert room_of(view).held_from == 1
    view = apply(view, {"type": "new_message", "data": message(newest + 1)}, 0)
    assert len(room_of(view).messages) == KEPT_MESSAGES + 1


def test_a_page_that_would_leave_a_hole_is_not_merged() -> None:
    view = view_of(message(7), message(8))
    assert paged(view, 5, message(3), message(4)) is view


def test_a_page_reaching_into_what_is_held_does_not_say_what_is_before_it() -> None:
    view = view_of(message(3), message(5), message(7))
    after = paged(view, 7, message(5), has_before=False, complete=False)
    room = room_of(after)
    assert seqs(after) == [3, 5, 7]
    assert (room.held_from, room.has_before, room.complete) == (3, True, True)


def test_an_empty_page_says_that_nothing_is_before() -> None:
    after = paged(view_of(message(7)), 7, has_before=False, complete=False)
    room = room_of(after)
    assert (room.held_from, room.has_before, room.complete) == (7, False, False)


def test_of_two_versions_the_newer_stays() -> None:
    view = view_of(message(7, "held", version=2))
    assert room_of(paged(view, 8, message(7, "older"))).messages[0]["message"] == "held"
    newer = paged(view, 8, message(7, "newer", version=3))
    assert room_of(newer).messages[0]["message"] == "newer"


@pytest.mark.parametrize("version", [1, 2])
def test_an_edit_that_is_not_newer_changes_nothing(version: int) -> None:
    view = view_of(message(7, "held", version=2))
    data = {**message(10, "older"), "id": f"7-{LINK}", "version": version, "timestamp": "t"}
    after = apply(view, {"type": "message_edited", "data": data}, 0)
    assert room_of(after) == replace(room_of(view), position=Position(10, LINK))


def test_a_tombstone_is_final() -> None:
    view = view_of(message(7, "", version=2, deleted="t"))
    data = {**message(10, "back"), "id": f"7-{LINK}", "version": 3, "timestamp": "t"}
    after = apply(view, {"type": "message_edited", "data": data}, 0)
    assert room_of(after).messages == room_of(view).messages


def test_a_tombstone_keeps_nothing_that_was_said() -> None:
    view = view_of(message(7, "secret", meta={"a": 1}, reply_to="x", edited="t", version=2))
    data = {**message(10), "id": f"7-{LINK}", "version": 3, "timestamp": "later"}
    after = apply(view, {"type": "message_deleted", "data": data}, 0)
    expected: Message = {**message(7, ""), "version": 3, "deleted": "later"}  # type: ignore[typeddict-item]  # as sent
    assert room_of(after).messages == (expected,)


def test_typing_is_forgotten_when_its_time_has_come() -> None:
    view = view_of()
    assert typing_until(view) == 7_000
    assert expired(view, 6_999) is view
    assert room_of(expired(view, 7_000)).typing.users == ()
    assert typing_until(expired(view, 7_000)) is None


def test_a_cut_keeps_what_was_said_and_forgets_who_types() -> None:
    room = room_of(cut(view_of(message(7))))
    assert (room.state, room.typing.total, room.position) == ("joining", 0, Position(9, LINK))
    assert [one["seq"] for one in room.messages] == [7]
