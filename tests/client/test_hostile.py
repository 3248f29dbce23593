"""Whatever comes, the machine does not break: it ignores it or says why it hangs up."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomkit.client.asks import Ask, Connect, Disconnect, Join, Output, Send
from roomkit.client.machine import Machine
from roomkit.client.view import Malformed, apply, joining
from roomkit.client.view_data import View
from roomkit.wire.catalogue import FROM_SERVER
from roomkit.wire.envelope import type_of

ROOM = "general"
LINK = "00000000000000aa"
WELCOME = {
    "session": "session-1",
    "heartbeat_ms": 25_000,
    "user": {"user_id": "u-alice", "username": "alice"},
}
TYPING: dict[str, object] = {"users": [], "total": 0, "expires_ms": 6_000}
JOINED: dict[str, object] = {
    "room": ROOM,
    "seq": 1,
    "link": LINK,
    "recovered": None,
    "gap": None,
    "you": {"role": "participant", "can": ["send"]},
    "typing": TYPING,
    "ref": "1",
    "total": 1,
    "roster": "on",
    "messages": [],
    "occupants": [{"user_id": "u-alice", "username": "alice", "sessions": 1}],
}

KEYS = [
    *("room", "seq", "link", "ref", "id", "message", "username", "user_id", "version", "timestamp"),
    *("users", "total", "expires_ms", "shown", "joined", "left", "changed", "switched", "removed"),
    *("recovered", "gap", "you", "typing", "roster", "messages", "occupants", "reason", "sessions"),
    *("code", "retryable", "retry_after_ms", "after_ms", "max_jitter_ms", "t", "idempotency_key"),
    *("user", "session", "guest_token", "heartbeat_ms", "limits", "has_before", "complete"),
]
TYPES = sorted({type_of(frame) for frame in FROM_SERVER[2]})
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 4),
    st.floats(allow_nan=False),
    st.sampled_from([ROOM, LINK, "1", "2", "u-alice", "alice", "key-1", "forbidden", ""]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8)
    ),
    max_leaves=12,
)
DATA = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(KEYS, VALUES) | {"room": st.just(ROOM), "link": st.just(LINK)}
)
FRAMES = st.fixed_dictionaries({"type": st.sampled_from(TYPES), "data": DATA})


def online() -> Machine:
    """Make a machine that is in a room, with two messages on their way."""
    keys = itertools.count(1)
    machine = Machine(random=lambda: 0.5, mint=lambda: f"key-{next(keys)}")
    asked: list[Ask] = [Join(ROOM), Send(ROOM, "one"), Send(ROOM, "two")]
    for number, ask in enumerate(asked):
        machine.ask(ask, 0, number)
    machine.start(0)
    machine.opened(0)
    machine.received(json.dumps({"type": "welcome", "data": WELCOME}), 0)
    machine.received(json.dumps({"type": "room_joined", "data": JOINED}), 0)
    assert machine.view.rooms[ROOM].state == "joined"
    return machine


def hung_up(outputs: list[Output]) -> bool:
    """Check that whoever hangs up says why, and comes back or has stopped."""
    ends = [output for output in outputs if isinstance(output, Disconnect)]
    for end in ends:
        assert end.reason != "" or end.code == 1000
        assert len(end.reason.encode()) <= 123  # RFC 6455, 5.5: what a close frame can hold
    return bool(ends)


@given(st.lists(FRAMES, max_size=6))
def test_no_frame_breaks_the_machine(frames: list[dict[str, object]]) -> None:
    machine = online()
    for now, frame in enumerate(frames):
        known = set(machine.view.rooms)
        outputs = machine.received(json.dumps(frame), now)
        msgspec.json.encode(machine.view)
        assert set(machine.view.rooms) == known
        if hung_up(outputs):
            assert machine.state == "stopped" or any(
                isinstance(output, Connect) for output in outputs
            )
            return
        machine.tick(now)


@given(
    st.binary() | st.text().map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode())
)
def test_no_message_breaks_the_machine(message: bytes) -> None:
    machine = online()
    before = machine.view.rooms[ROOM].messages
    hung_up(machine.received(message, 1))
    assert machine.view.rooms[ROOM].messages == before


@given(FRAMES)
def test_a_frame_is_read_and_not_written(frame: dict[str, object]) -> None:
    view: View = joining(View(), ROOM)
    view = apply(view, {"type": "room_joined", "data": JOINED}, 0)
    given_frame, given_view = copy.deepcopy(frame), msgspec.json.encode(view)
    with contextlib.suppress(Malformed):
        apply(view, frame, 1)
    assert frame == given_frame
    assert msgspec.json.encode(view) == given_view


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("[]", "a frame is no JSON object"),
        ("{", "a frame is no JSON object"),
        ('{"type": 1}', "type must be a string"),
        ('{"type": "pong"}', "data must be an object"),
        (
            json.dumps({"type": "new_message", "data": {"room": ROOM, "seq": 2, "link": LINK}}),
            "id must be a string",
        ),
        (
            json.dumps({"type": "room_joined", "data": {**JOINED, "messages": None}}),
            "messages must be a list of objects",
        ),
        (
            json.dumps({"type": "reconnect", "data": {"after_ms": -1}}),
            "after_ms must be a whole number",
        ),
    ],
)
def test_the_reason_says_what_was_wrong(message: str, reason: str) -> None:
    outputs = online().received(message, 1)
    assert Disconnect(4500, reason) in outputs


def test_a_message_nested_beyond_reason_ends_the_connection() -> None:
    deep = '{"type": "x", "data": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert Disconnect(4500, "a frame is no JSON object") in online().received(deep, 1)
