"""Snapshots and pages stay within their bytes: the newest messages stay, and the cut is told."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from roomkit.core import events
from roomkit.core.events import Message, OccupantView
from roomkit.ids import ORIGIN, UserId
from roomkit.limits import Limits
from roomkit.wire import Codec
from roomkit.wire.encoding import to_bytes
from roomkit.wire.event_data import message_data
from tests.wire.client import CODEC, LINK
from tests.wire.examples import ALICE, HELLO, JOINED, JOINED_DATA, LOBBY, NOON

SIZES = st.lists(st.integers(0, 300), max_size=12)


def messages_of(sizes: list[int]) -> tuple[Message, ...]:
    return tuple(
        Message(seq, LINK, NOON, ALICE, "alice", "é" * size) for seq, size in enumerate(sizes, 1)
    )


def seqs(encoded: bytes) -> list[int]:
    return [message["seq"] for message in json.loads(encoded)["data"]["messages"]]


@given(SIZES, st.integers(400, 6000))
def test_a_snapshot_keeps_the_newest_messages_that_fit(sizes: list[int], room_for: int) -> None:
    messages = messages_of(sizes)
    joined = joined_with(messages)
    codec = Codec(Limits(snapshot_bytes=room_for))
    (encoded,) = codec.encode(joined, 2)
    kept = seqs(encoded)
    assert len(encoded) <= room_for
    assert kept == list(range(len(sizes) - len(kept) + 1, len(sizes) + 1))
    assert json.loads(encoded)["data"]["has_before"] is (len(kept) < len(sizes))
    if len(kept) < len(sizes):
        one_more = joined_with(messages[len(sizes) - len(kept) - 1 :])
        (larger,) = CODEC.encode(one_more, 2)
        assert len(larger) > room_for


def joined_with(messages: tuple[Message, ...]) -> events.RoomJoined:
    return events.RoomJoined(LOBBY, None, ORIGIN, None, (), (), 0, 6000, messages=messages)


@given(SIZES, st.integers(400, 6000))
def test_a_page_keeps_the_newest_messages_that_fit(sizes: list[int], room_for: int) -> None:
    page = events.HistoryListed(LOBBY, "r", messages_of(sizes), False, True, True)
    (encoded,) = Codec(Limits(page_bytes=room_for)).encode(page, 2)
    data = json.loads(encoded)["data"]
    kept = seqs(encoded)
    assert len(encoded) <= room_for
    assert kept == list(range(len(sizes) - len(kept) + 1, len(sizes) + 1))
    assert (data["has_before"], data["has_after"]) == (len(kept) < len(sizes), True)
    assert data.get("first_seq") == (kept[0] if kept else None)
    assert data.get("last_seq") == (kept[-1] if kept else None)


def test_a_page_whose_first_seq_grows_by_the_cut_still_fits() -> None:
    messages = tuple(Message(seq, LINK, NOON, ALICE, "alice", "hi") for seq in (9, 1000, 1001))
    page = events.HistoryListed(LOBBY, "r", messages, False, False, True)
    (whole,) = CODEC.encode(page, 2)
    without_first = len(whole) - len(to_bytes(message_data(LOBBY, messages[0]))) - len(",")
    (encoded,) = Codec(Limits(page_bytes=without_first)).encode(page, 2)
    assert seqs(encoded) == [1001]
    assert len(encoded) <= without_first


def test_a_snapshot_that_fits_exactly_is_whole() -> None:
    (whole,) = CODEC.encode(JOINED, 2)
    (same,) = Codec(Limits(snapshot_bytes=len(whole))).encode(JOINED, 2)
    (less,) = Codec(Limits(snapshot_bytes=len(whole) - 1)).encode(JOINED, 2)
    assert same == whole
    assert json.loads(less)["data"] == {**JOINED_DATA, "messages": []}


def test_the_history_of_protocol_1_is_bounded_too() -> None:
    messages = messages_of([100] * 5)
    codec = Codec(Limits(snapshot_bytes=1000, page_bytes=700))
    history, _ = codec.encode(joined_with(messages), 1)
    (page,) = codec.encode(events.HistoryListed(LOBBY, None, messages, False, False, True), 1)
    assert (seqs(history), seqs(page)) == ([4, 5], [5])
    assert len(history) <= 1000
    assert len(page) <= 700


def test_the_roster_of_a_snapshot_is_never_cut() -> None:
    crowd = tuple(OccupantView(UserId(f"u{n}"), f"user{n}", 1, NOON) for n in range(100))
    joined = events.RoomJoined(
        LOBBY, None, ORIGIN, None, (), (), 0, 6000, messages=(HELLO,), occupants=crowd
    )
    (encoded,) = Codec(Limits(snapshot_bytes=1000)).encode(joined, 2)
    data = json.loads(encoded)["data"]
    assert (data["messages"], len(data["occupants"])) == ([], 100)
