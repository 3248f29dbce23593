"""The exact answer to each field a command cannot have: wrong type, number, length, size, NUL."""

from __future__ import annotations

import pytest

from roomkit.core.commands import SendMessage, SendSignal
from roomkit.limits import Limits
from roomkit.wire import Codec, WireError
from tests.wire.client import CODEC, LINK, frame, refusal

NO_LINK = "since.link must be 16 lower-case hex digits: send the link of the last frame applied"


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("join_room", {}, "room is missing: put it into data"),
        ("send_message", {"room": "lobby"}, "message is missing: put it into data"),
        ("get_history", {}, "room is missing: put it into data"),
        ("send_signal", {"room": "lobby"}, "name is missing: put it into data"),
        ("send_message", {"message": 5}, "message must be a string, not a whole number"),
        ("send_message", {"message": None}, "message must be a string, not null"),
        ("send_message", {"message": ["a"]}, "message must be a string, not a list"),
        ("join_room", {"room": {}}, "room must be a string, not an object"),
        (
            "join_room",
            {"room": "a", "username": True},
            "username must be a string, not true or false",
        ),
        ("join_room", {"room": "a", "meta": []}, "meta must be an object, not a list"),
        ("join_room", {"room": "a", "since": 7}, "since must be an object, not a whole number"),
        (
            "join_room",
            {"room": "a", "since": {"seq": 1}},
            "since.link is missing: put it into data",
        ),
        (
            "join_room",
            {"room": "a", "since": {"seq": "1", "link": LINK}},
            "since.seq must be a whole number, not a string",
        ),
        (
            "get_history",
            {"room": "a", "limit": 1.5},
            "limit must be a whole number, not a number with a fraction or exponent",
        ),
        (
            "get_history",
            {"room": "a", "limit": 1.0},
            "limit must be a whole number, not a number with a fraction or exponent",
        ),
        ("get_history", {"room": "a", "limit": "9"}, "limit must be a whole number, not a string"),
        (
            "get_history",
            {"room": "a", "limit": 10**5000},
            "limit holds a number out of range: send a smaller one",
        ),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected(
    kind: str, data: dict[str, object], message: str
) -> None:
    room = data.get("room")
    assert refusal(frame_of_any_size(kind, {**data, "ref": "r"})) == (
        "bad_argument",
        message,
        "r",
        room if isinstance(room, str) and room else None,
    )


def frame_of_any_size(kind: str, data: dict[str, object]) -> str:
    """Like `frame`, for numbers longer than Python writes in decimal by itself."""
    longest = 10**5000
    data = {name: "LONGEST" if value == longest else value for name, value in data.items()}
    return frame(kind, **data).replace('"LONGEST"', "1" + "0" * 5000)


@pytest.mark.parametrize("number", [-1, 2**53, 2**64, 10**300])
@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("join_room", "history"),
        ("get_history", "before"),
        ("get_history", "after"),
        ("get_history", "around"),
        ("get_history", "limit"),
        ("get_users", "limit"),
    ],
)
def test_numbers_are_whole_and_below_2_to_the_53(kind: str, field: str, number: int) -> None:
    assert refusal(frame(kind, room="lobby", ref="r", **{field: number})) == (
        "bad_argument",
        f"{field} must be a whole number from 0 to 2^53 - 1",
        "r",
        "lobby",
    )
    largest = CODEC.decode(frame(kind, room="lobby", **{field: 2**53 - 1}), 2)
    assert getattr(largest, field) == 2**53 - 1


@pytest.mark.parametrize("number", [2**53, -(2**53), 10**40])
@pytest.mark.parametrize("kind", ["ping", "pong"])
def test_t_may_be_negative_but_not_huge(kind: str, number: int) -> None:
    assert refusal(frame(kind, t=number)) == (
        "bad_argument",
        "t must be a whole number from -2^53 + 1 to 2^53 - 1",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("seq", "link", "message"),
    [
        (1, "", NO_LINK),
        (1, LINK.upper(), NO_LINK),
        (1, LINK + "0", NO_LINK),
        (1, LINK + "\n", NO_LINK),
        (-1, LINK, "since.seq must be a whole number from 0 to 2^53 - 1"),
        (2**53, LINK, "since.seq must be a whole number from 0 to 2^53 - 1"),
    ],
)
def test_since_is_a_position(seq: int, link: str, message: str) -> None:
    text = frame("join_room", room="lobby", ref="r", since={"seq": seq, "link": link})
    assert refusal(text) == ("bad_argument", message, "r", "lobby")


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("", "ref must be 1 to 64 characters, not 0"),
        ("r" * 65, "ref must be 1 to 64 characters, not 65"),
        (5, "ref must be a string, not a whole number"),
        ("a\0", "ref must not contain the NUL character (U+0000): leave it out"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("join_room", {"room": "a"}),
        ("leave_room", {"room": "a"}),
        ("send_message", {"room": "a", "message": "m"}),
        ("typing_start", {"room": "a"}),
        ("typing_stop", {"room": "a"}),
        ("get_history", {"room": "a"}),
        ("get_users", {"room": "a"}),
        ("send_signal", {"room": "a", "name": "n"}),
        ("ping", {"room": "a"}),
        ("pong", {"room": "a"}),
    ],
)
def test_a_wrong_ref_is_refused_and_not_sent_back(
    kind: str, data: dict[str, object], ref: object, message: str
) -> None:
    room = None if kind in ("ping", "pong") and not isinstance(ref, int) else "a"
    assert refusal(frame(kind, **data, ref=ref)) == ("bad_argument", message, None, room)
    assert CODEC.decode(frame(kind, **data, ref="r" * 64), 2) is not None


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (
            "send_message",
            {"idempotency_key": ""},
            "idempotency_key must be 1 to 64 characters, not 0",
        ),
        (
            "send_message",
            {"idempotency_key": "k" * 65},
            "idempotency_key must be 1 to 64 characters, not 65",
        ),
        ("send_message", {"reply_to": "x" * 65}, "reply_to must be 1 to 64 characters, not 65"),
        ("send_signal", {"name": "x" * 65}, "name must be 1 to 64 characters, not 65"),
        (
            "send_signal",
            {"name": "n", "payload": "x" * 4095},
            "payload must be at most 4096 bytes of JSON, not 4097",
        ),
        (
            "send_signal",
            {"name": "n", "payload": {"big": 2**53}},
            "payload holds a whole number beyond 2^53 - 1: send it as a string",
        ),
        (
            "send_message",
            {"meta": {"a": "é" * 253}},
            "meta must be at most 512 bytes of JSON, not 514",
        ),
        (
            "join_room",
            {"meta": {"a": [{"b": [[]]}]}},
            "meta must be nested at most 4 levels deep, not 5",
        ),
        (
            "join_room",
            {"meta": {"a": [-(2**53)]}},
            "meta holds a whole number beyond 2^53 - 1: send it as a string",
        ),
    ],
)
def test_what_the_server_only_carries_has_its_bounds(
    kind: str, data: dict[str, object], message: str
) -> None:
    text = frame(kind, room="lobby", message="m", ref="r", **data)
    assert refusal(text) == ("bad_argument", message, "r", "lobby")


def test_what_the_server_only_carries_may_reach_its_bounds() -> None:
    meta = {"a": [{"b": []}], "c": "é" * 230, "d": 1.5, "e": 2**53 - 1}
    command = SendMessage(message="m", idempotency_key="k" * 64, reply_to="x" * 64, meta=meta)
    data = {"message": "m", "idempotency_key": "k" * 64, "reply_to": "x" * 64, "meta": meta}
    assert CODEC.decode(frame("send_message", **data), 2) == command
    assert CODEC.decode(frame("send_signal", room="a", name="n", payload="x" * 4094), 2) == (
        SendSignal(room="a", name="n", payload="x" * 4094)
    )


def test_a_number_json_cannot_hold_is_refused_in_meta() -> None:
    text = '{"type":"join_room","data":{"room":"lobby","ref":"r","meta":{"a":1e999}}}'
    assert refusal(text) == (
        "bad_argument",
        "meta holds a number out of range: send a smaller one",
        "r",
        "lobby",
    )


@pytest.mark.parametrize(
    ("kind", "data", "field", "room"),
    [
        ("send_message", {"message": "a\0"}, "message", "lobby"),
        ("send_message", {"message": "m", "idempotency_key": "\0"}, "idempotency_key", "lobby"),
        ("send_message", {"message": "m", "reply_to": "\0"}, "reply_to", "lobby"),
        ("send_message", {"message": "m", "username": "a\0"}, "username", "lobby"),
        ("send_message", {"message": "m", "meta": {"a": ["\0"]}}, "meta", "lobby"),
        ("send_message", {"message": "m", "meta": {"a\0": 1}}, "meta", "lobby"),
        ("send_signal", {"name": "\0"}, "name", "lobby"),
        ("send_signal", {"name": "n", "payload": [{"a": "\0"}]}, "payload", "lobby"),
        ("get_users", {"after": "\0"}, "after", "lobby"),
        ("join_room", {"room": "lob\0by"}, "room", None),
    ],
)
def test_nul_is_refused_in_every_string(
    kind: str, data: dict[str, object], field: str, room: str | None
) -> None:
    assert refusal(frame(kind, **{"room": "lobby", "ref": "r", **data})) == (
        "bad_argument",
        f"{field} must not contain the NUL character (U+0000): leave it out",
        "r",
        room,
    )


def test_a_backslash_before_u0000_is_just_text() -> None:
    assert CODEC.decode(frame("send_message", message="\\u0000"), 2) == SendMessage(
        message="\\u0000"
    )


@pytest.mark.parametrize("room", ["", "x" * 129, 5, None, "a\0"])
def test_a_room_no_answer_can_carry_is_left_out_of_it(room: object) -> None:
    text = frame("send_message", room=room, message=5, ref="r")
    assert refusal(text)[2:] == ("r", None)


def test_limits_decide() -> None:
    small = Codec(Limits(ref_chars=2, idempotency_key_chars=3, meta_bytes=2, meta_depth=1))
    assert small.decode(frame("send_message", message="m", ref="ab", meta={}), 2) == SendMessage(
        message="m", ref="ab", meta={}
    )
    with pytest.raises(WireError, match="ref must be 1 to 2 characters, not 3"):
        small.decode(frame("send_message", message="m", ref="abc"), 2)
