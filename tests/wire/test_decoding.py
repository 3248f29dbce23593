"""Good frames become their commands, whichever protocol they are spoken in."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from roomkit.core.commands import (
    Command,
    DeleteMessage,
    EditMessage,
    GetHistory,
    GetUsers,
    Hello,
    JoinRoom,
    LeaveRoom,
    Ping,
    Pong,
    SendMessage,
    SendSignal,
    TypingStart,
    TypingStop,
)
from roomkit.ids import ORIGIN, Position
from tests.wire.client import CODEC, LINK, frame, refusal

KNOWN_TO_1 = "join_room, leave_room, send_message, typing_start, typing_stop"
TO_HELLO = "every other type needs hello as the first frame"

COMMANDS: list[tuple[str, Command]] = [
    (
        frame(
            "join_room",
            room="lobby",
            username="alice",
            ref="1",
            since={"seq": 7, "link": LINK},
            history=20,
            meta={"colour": "red"},
        ),
        JoinRoom(
            room="lobby",
            username="alice",
            ref="1",
            since=Position(7, LINK),
            history=20,
            meta={"colour": "red"},
        ),
    ),
    (frame("leave_room", room="lobby", ref="1"), LeaveRoom(room="lobby", ref="1")),
    (
        frame(
            "send_message",
            room="lobby",
            username="alice",
            message="hi",
            ref="1",
            idempotency_key="k",
            reply_to=f"3-{LINK}",
            meta={},
        ),
        SendMessage(
            room="lobby",
            username="alice",
            message="hi",
            ref="1",
            idempotency_key="k",
            reply_to=f"3-{LINK}",
            meta={},
        ),
    ),
    (
        frame("edit_message", room="lobby", id=f"3-{LINK}", message="hi", if_version=1, ref="1"),
        EditMessage(room="lobby", id=f"3-{LINK}", message="hi", if_version=1, ref="1"),
    ),
    (
        frame("delete_message", room="lobby", id=f"3-{LINK}", reason="spam", ref="1"),
        DeleteMessage(room="lobby", id=f"3-{LINK}", reason="spam", ref="1"),
    ),
    (frame("typing_start", room="lobby"), TypingStart(room="lobby")),
    (frame("typing_stop", room="lobby", ref="1"), TypingStop(room="lobby", ref="1")),
    (
        frame("get_history", room="lobby", before=9, after=None, limit=50, ref="1"),
        GetHistory(room="lobby", before=9, limit=50, ref="1"),
    ),
    (
        frame("get_users", room="lobby", after="u1", limit=5, ref="1"),
        GetUsers(room="lobby", after="u1", limit=5, ref="1"),
    ),
    (
        frame("send_signal", room="lobby", name="wave", payload=[1, {"a": None}]),
        SendSignal(room="lobby", name="wave", payload=[1, {"a": None}]),
    ),
    (frame("ping", t=-5, ref="1"), Ping(t=-5, ref="1")),
    (frame("pong", t=5), Pong(t=5)),
]


def test_every_command_has_an_example_here() -> None:
    assert {type(command) for _, command in COMMANDS} == set(get_args(Command))


@pytest.mark.parametrize(("text", "command"), COMMANDS, ids=lambda value: type(value).__name__)
def test_a_good_frame_of_protocol_2_becomes_its_command(text: str, command: Command) -> None:
    assert CODEC.decode(text, 2) == command


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("ping", Ping()),
        ("pong", Pong()),
        ("leave_room", LeaveRoom()),
        ("typing_start", TypingStart()),
        ("typing_stop", TypingStop()),
    ],
)
def test_data_may_be_missing_where_every_field_may(kind: str, command: Command) -> None:
    assert CODEC.decode(json.dumps({"type": kind}), 2) == command


def test_unknown_keys_are_ignored_everywhere() -> None:
    text = (
        '{"future":1,"type":"join_room","data":{"future":{"a":[1e999]},"room":"lobby",'
        '"since":{"seq":0,"link":"","epoch":"x"}},"more":"\\u0000"}'
    )
    assert CODEC.decode(text, 2) == JoinRoom(room="lobby", since=ORIGIN)


def test_an_escaped_surrogate_pair_is_one_character() -> None:
    text = '{"type":"send_message","data":{"message":"\\ud83d\\ude00"}}'
    assert CODEC.decode(text, 2) == SendMessage(message="😀")


def test_an_empty_room_or_username_is_given_and_left_to_the_engine() -> None:
    assert CODEC.decode(frame("join_room", room="", username=""), 2) == JoinRoom(
        room="", username=""
    )


# The first frame, and protocol 1


def test_the_first_frame_may_be_hello() -> None:
    text = frame(
        "hello",
        protocol=2,
        client="page/1",
        features=["x"],
        token="t",
        session="s",
        username="alice",
        future=1,
    )
    assert CODEC.decode(text, 0) == Hello(
        protocol=2, client="page/1", features=["x"], token="t", session="s", username="alice"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "protocol is missing: put it into data"),
        ({"protocol": "2"}, "protocol must be a whole number, not a string"),
        ({"protocol": -1}, "protocol must be a whole number from 0 to 2^53 - 1"),
        ({"protocol": 2, "token": 5}, "token must be a string, not a whole number"),
        ({"protocol": 2, "features": "x"}, "features must be a list, not a string"),
        ({"protocol": 2, "features": [5]}, "features must be a string, not a whole number"),
        (
            {"protocol": 2, "features": ["\0"]},
            "features must not contain the NUL character (U+0000): leave it out",
        ),
    ],
)
def test_a_wrong_hello_is_refused(data: dict[str, object], message: str) -> None:
    assert refusal(frame("hello", **data), 0) == ("bad_argument", message, None, None)


def test_which_protocols_there_are_is_left_to_the_handshake() -> None:
    assert CODEC.decode(frame("hello", protocol=3), 0) == Hello(protocol=3)


LEGACY: list[tuple[str, Command]] = [
    (
        frame("join_room", room="lobby", username="alice", meta={"a": 1}, since=5, history="x"),
        JoinRoom(room="lobby", username="alice", meta={"a": 1}),
    ),
    (frame("leave_room", room="lobby"), LeaveRoom(room="lobby")),
    (
        frame(
            "send_message",
            room="lobby",
            username="alice",
            message="hi",
            idempotency_key="k",
            reply_to="3",
            meta={"a": 1},
        ),
        SendMessage(
            room="lobby",
            username="alice",
            message="hi",
            idempotency_key="k",
            reply_to="3",
            meta={"a": 1},
        ),
    ),
    (frame("send_message", message="hi"), SendMessage(message="hi")),
    (frame("typing_start", username="alice"), TypingStart(username="alice")),
    (frame("typing_stop", username=""), TypingStop(username="")),
    ('{"type":"leave_room"}', LeaveRoom()),
]


@pytest.mark.parametrize("protocol", [0, 1])
@pytest.mark.parametrize(("text", "command"), LEGACY, ids=lambda value: type(value).__name__)
def test_a_frame_of_protocol_1_becomes_the_same_command(
    text: str, command: Command, protocol: int
) -> None:
    assert CODEC.decode(text, protocol) == command


@pytest.mark.parametrize("ref", ["r", "", "r" * 999, 5, None, ["r"]])
def test_protocol_1_does_not_look_at_ref(ref: object) -> None:
    assert CODEC.decode(frame("send_message", message="hi", ref=ref), 1) == SendMessage(
        message="hi"
    )


@pytest.mark.parametrize("kind", ["get_history", "get_users", "send_signal", "ping", "pong"])
def test_protocol_1_knows_only_its_own_types(kind: str) -> None:
    assert refusal(frame(kind, room="lobby", name="n", ref="r"), 1) == (
        "unknown_type",
        f"unknown type {kind!r}: this connection may send {KNOWN_TO_1}; {TO_HELLO}",
        None,
        "lobby",
    )


def test_hello_is_unknown_once_protocol_1_is_chosen() -> None:
    assert refusal(frame("hello", protocol=2), 1) == (
        "unknown_type",
        "hello must be the first frame: open another connection to say it again",
        None,
        None,
    )


def test_an_unknown_first_frame_is_told_about_hello() -> None:
    assert refusal(frame("ping"), 0) == (
        "unknown_type",
        f"unknown type 'ping': this connection may send hello, {KNOWN_TO_1}; {TO_HELLO}",
        None,
        None,
    )


def test_a_wrong_field_of_protocol_1_is_answered_without_ref() -> None:
    assert refusal(frame("send_message", room="lobby", message=5, ref="r"), 1) == (
        "bad_argument",
        "message must be a string, not a whole number",
        None,
        "lobby",
    )
    assert refusal(frame("send_message", room="lobby", message="\0", ref="r"), 1) == (
        "bad_argument",
        "message must not contain the NUL character (U+0000): leave it out",
        None,
        "lobby",
    )
