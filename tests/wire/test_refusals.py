"""The exact answer to what is no frame: not JSON, no envelope, too deep, too large, unknown."""

from __future__ import annotations

import pytest

from roomkit.core.commands import Ping, SendMessage, SendSignal
from tests.wire.client import CODEC, LIMITS, frame, refusal

ENVELOPE = 'a frame is one object, {"type": "...", "data": {...}}'
CUT_SHORT = "it ends too early, or a surrogate in it has no partner"
NO_OBJECT = "data must be an object, not a whole number"
KNOWN = (
    "join_room, leave_room, send_message, edit_message, delete_message, typing_start, "
    "typing_stop, get_history, get_users, send_signal, ping, pong"
)


def malformed(byte: int) -> str:
    return f"malformed near byte {byte}"


def nested(levels: int) -> str:
    """A whole frame with this many levels, which the decoder would skip over."""
    inner = levels - 2
    deep = "[" * inner + "]" * inner
    return '{"type":"ping","data":{"ref":"r","flat":[[],{}],"deep":' + deep + "}}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", CUT_SHORT),
        ('{"type":"ping"', CUT_SHORT),
        ("hello there", malformed(0)),
        ('{"type":"ping","data":{"t":NaN}}', malformed(27)),
        ('{"type":"ping","data":{"t":Infinity}}', malformed(27)),
        ('{"type":"ping","data":{"t":-Infinity}}', malformed(28)),
        ('{"type":"ping","data":{"later":NaN}}', malformed(31)),
        ('{"type":"ping"} {"type":"ping"}', malformed(17)),
        ("\ufeff{}", malformed(0)),
        ('{"type":"ping","data":{"ref":"\0"}}', malformed(30)),
        (
            '{"type":"send_message","data":{"message":"\\ud800"}}',
            CUT_SHORT,
        ),
        (
            '{"type":"send_message","data":{"message":"\\udc00"}}',
            malformed(48),
        ),
        ('{"type":"send_message","data":{"message":5,}}', malformed(43)),
    ],
)
def test_what_is_not_json_is_a_bad_frame(text: str, reason: str) -> None:
    told = f"the frame is not JSON ({reason}): {ENVELOPE}"
    assert refusal(text) == ("bad_frame", told, None, None)


@pytest.mark.parametrize("text", ["[]", "5", '"ping"', "null", "true", '[{"type":"ping"}]'])
def test_what_is_not_an_object_is_a_bad_frame(text: str) -> None:
    assert refusal(text) == ("bad_frame", f"the frame is not an object: {ENVELOPE}", None, None)


@pytest.mark.parametrize(
    ("text", "message", "ref", "room"),
    [
        ("{}", "type is missing", None, None),
        ('{"data":{"ref":"r","room":"lobby"}}', "type is missing", "r", "lobby"),
        ('{"type":null,"data":{"ref":"r"}}', "type must be a string", "r", None),
        ('{"type":7}', "type must be a string", None, None),
        ('{"type":["ping"],"data":{}}', "type must be a string", None, None),
        ('{"type":"join_room"}', "data is missing", None, None),
        ('{"type":"join_room","data":[]}', "data must be an object, not a list", None, None),
        ('{"type":"join_room","data":null}', "data must be an object, not null", None, None),
        ('{"type":"ping","data":"t"}', "data must be an object, not a string", None, None),
        (
            '{"type":"ping","data":5,"data":{}}',
            NO_OBJECT,
            None,
            None,
        ),
    ],
)
def test_a_wrong_envelope_is_a_bad_frame(
    text: str, message: str, ref: str | None, room: str | None
) -> None:
    assert refusal(text) == ("bad_frame", f"{message}: {ENVELOPE}", ref, room)


def test_a_binary_frame_says_what_to_send() -> None:
    assert refusal(b'{"type":"ping"}') == (
        "bad_frame",
        "binary frames are not understood: send JSON in text frames",
        None,
        None,
    )


def test_a_lone_surrogate_in_the_text_itself_is_a_bad_frame() -> None:
    assert refusal('{"type":"ping","data":{"ref":"\ud800"}}') == (
        "bad_frame",
        "the frame holds a lone surrogate: send well-formed Unicode",
        None,
        None,
    )


def test_a_frame_may_nest_to_the_limit_and_no_deeper() -> None:
    assert CODEC.decode(nested(LIMITS.frame_depth), 2) == Ping(ref="r")
    assert refusal(nested(LIMITS.frame_depth + 1)) == (
        "bad_frame",
        "the frame is nested too deeply: use at most 64 levels",
        "r",
        None,
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        '{"type":"send_message","data":{"message":' + "[" * 10_000 + "]" * 10_000 + "}}",
        '{"type":"ping","data":{"unknown":' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}}",
        '{"type":"ping","unknown":' + "[" * 10_000 + "]" * 10_000 + "}",
    ],
    ids=["open", "closed", "in a field", "objects", "beside data"],
)
def test_ten_thousand_levels_are_a_bad_frame(text: str) -> None:
    assert refusal(text) == (
        "bad_frame",
        "the frame is nested too deeply: use at most 64 levels",
        None,
        None,
    )


@pytest.mark.parametrize("message", ["[{" * 500, '"[' * 500, "\\[" * 500, '\\"{' * 500, "[]" * 900])
def test_brackets_in_a_string_are_no_nesting(message: str) -> None:
    assert CODEC.decode(frame("send_message", message=message), 2) == SendMessage(message=message)


def test_a_backslash_at_the_end_of_a_string_does_not_prolong_it() -> None:
    message = "[{" * 500
    assert CODEC.decode(frame("send_message", username="\\", message=message), 2) == SendMessage(
        username="\\", message=message
    )


def test_many_brackets_side_by_side_are_no_nesting() -> None:
    payload: list[object] = [[] for _ in range(500)]
    assert CODEC.decode(frame("send_signal", room="a", name="n", payload=payload), 2) == SendSignal(
        room="a", name="n", payload=payload
    )


def test_a_frame_is_measured_in_bytes() -> None:
    empty = '{"type":"send_message","data":{"ref":"r","room":"lobby","message":""}}'
    spare = LIMITS.frame_bytes - len(empty)
    message = "é" * (spare // 2) + "a" * (spare % 2)
    fits = empty.replace('""', f'"{message}"')
    assert len(fits.encode()) == LIMITS.frame_bytes
    assert CODEC.decode(fits, 2) == SendMessage(ref="r", room="lobby", message=message)
    assert refusal(fits + " ") == (
        "too_large",
        "the frame has 65537 bytes: send at most 65536",
        "r",
        "lobby",
    )


def test_an_oversize_frame_that_is_no_frame_has_no_ref() -> None:
    assert refusal("[" * 70_000) == (
        "too_large",
        "the frame has 70000 bytes: send at most 65536",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("dance", "'dance'"),
        ("", "''"),
        ("Ping", "'Ping'"),
        ("x" * 41, "'" + "x" * 40 + "…'"),
        ("a\u202eb\0\n'", '"a\\u202eb\\x00\\n\'"'),
        ("user_joined", "'user_joined'"),
    ],
)
def test_an_unknown_type_is_named_and_the_known_ones_listed(name: str, shown: str) -> None:
    assert refusal(frame(name, ref="r", room="lobby", limit="x")) == (
        "unknown_type",
        f"unknown type {shown}: this connection may send {KNOWN}",
        "r",
        "lobby",
    )


def test_a_second_hello_is_an_unknown_type() -> None:
    assert refusal(frame("hello", protocol=2)) == (
        "unknown_type",
        "hello must be the first frame: open another connection to say it again",
        None,
        None,
    )
