"""Each event as a frame of protocol 2, whole; the welcome; the time of day."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomkit.core.events import Event, User, Welcomed
from roomkit.ids import ConnectionId, SessionId
from roomkit.limits import Limits
from roomkit.wire import Codec
from roomkit.wire.event_data import timestamp
from tests.wire.client import CODEC
from tests.wire.examples import ALICE, FRAMES, ISO_NOON, NOON
from tests.wire.strategies import YEAR_10000_MS


def test_every_event_has_an_example_here() -> None:
    assert {type(event) for event, *_ in FRAMES} == {*get_args(Event)} - {Welcomed}


@pytest.mark.parametrize(
    ("event", "kind", "data"), FRAMES, ids=[type(event).__name__ for event, *_ in FRAMES]
)
def test_an_event_is_one_frame_of_protocol_2(
    event: Event, kind: str, data: dict[str, object]
) -> None:
    (encoded,) = CODEC.encode(event, 2)
    assert json.loads(encoded) == {"type": kind, "data": data}
    assert list(json.loads(encoded)["data"])[:1] == list(data)[:1]


def test_welcome_says_who_where_and_every_limit() -> None:
    user = User(ALICE, "alice", guest=True)
    limits = Limits(heartbeat_ms=1234)
    encoded = Codec(limits).encode_welcome(
        Welcomed(user, SessionId("s1"), True, NOON),
        connection_id=ConnectionId("c1"),
        session_token="s1.signed",
        guest_token="u-alice.signed",
        durability="disk",
        features=("typing",),
    )
    assert json.loads(encoded) == {
        "type": "welcome",
        "data": {
            "protocol": 2,
            "features": ["typing"],
            "connection_id": "c1",
            "session": "s1.signed",
            "user": {"user_id": "u-alice", "username": "alice"},
            "resumed": True,
            "server_time": ISO_NOON,
            "durability": "disk",
            "heartbeat_ms": 1234,
            "limits": {name: getattr(limits, name) for name in Limits.__struct_fields__},
            "guest_token": "u-alice.signed",
        },
    }


def test_welcome_to_a_user_the_host_vouches_for_has_no_guest_token() -> None:
    encoded = CODEC.encode_welcome(
        Welcomed(User(ALICE, "alice"), SessionId("s1"), False, NOON),
        connection_id=ConnectionId("c1"),
        session_token="s1.signed",
        guest_token=None,
        durability="memory",
        features=(),
    )
    assert "guest_token" not in json.loads(encoded)["data"]


def test_welcomed_cannot_be_encoded_without_its_tokens() -> None:
    with pytest.raises(TypeError, match="encode it with encode_welcome"):
        CODEC.encode(Welcomed(User(ALICE, "alice"), SessionId("s1"), False, NOON), 2)


# The time of day


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.999Z"),
        (NOON, ISO_NOON),
        (1_709_164_800_001, "2024-02-29T00:00:00.001Z"),
        (YEAR_10000_MS - 1, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_utc_to_the_millisecond(at: int, text: str) -> None:
    assert timestamp(at) == text


def test_times_are_utc_wherever_the_server_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        assert timestamp(1_111_111_111_111) == "2005-03-18T01:58:31.111Z"
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.integers(0, YEAR_10000_MS - 1))
def test_times_read_back_as_the_same_millisecond(at: int) -> None:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    read = dt.datetime.fromisoformat(timestamp(at))
    assert (read - epoch) // dt.timedelta(milliseconds=1) == at
