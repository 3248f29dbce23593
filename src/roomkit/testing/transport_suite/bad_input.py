"""Bad input, each kind with its exact answer; after most of them the connection goes on."""

from __future__ import annotations

import json

import pytest

from roomkit import Limits
from roomkit.testing.transport_suite.harness import Harness, hello, join, join_seed
from roomkit.testing.websocket_client import WebsocketClient

__all__ = ["BadInput"]

_NO_FRAMES = {
    "not JSON": "hello there",
    "cut off": '{"type":"ping","data":{"t":1',
    "two at once": '{"type":"ping"}{"type":"ping"}',
    "a list": "[1, 2]",
    "a string": '"ping"',
    "null": "null",
    "a number": "12",
    "no type": '{"data":{"room":"lobby"}}',
    "type no string": '{"type":5,"data":{}}',
    "no data": '{"type":"send_message"}',
    "data a list": '{"type":"send_message","data":[]}',
    "lone surrogate": '{"type":"send_message","data":{"room":"lobby","message":"\\ud800"}}',
    "NaN": '{"type":"ping","data":{"t":NaN}}',
    "infinity": '{"type":"ping","data":{"t":-Infinity}}',
    "10 000 deep": '{"type":"send_signal","data":{"room":"lobby","name":"n","payload":'
    + "[" * 10_000
    + "]" * 10_000
    + "}}",
    "10 000 deep, no end": "[" * 10_000,
}

_WRONG_FIELDS = {
    "message missing": ("send_message", '"room":"lobby"'),
    "message a number": ("send_message", '"room":"lobby","message":5'),
    "message null": ("send_message", '"room":"lobby","message":null'),
    "room an object": ("send_message", '"room":{},"message":"hi"'),
    "room missing": ("send_message", '"message":"hi"'),
    "since a number": ("join_room", '"room":"lobby","since":7'),
    "since.link no link": ("join_room", '"room":"lobby","since":{"seq":1,"link":"xyz"}'),
    "history too long": ("join_room", '"room":"lobby","history":51'),
    "meta a list": ("send_message", '"room":"lobby","message":"hi","meta":[]'),
    "meta too large": (
        "send_message",
        f'"room":"lobby","message":"hi","meta":{{"key":"{"x" * 600}"}}',
    ),
    "meta too deep": ("send_message", '"room":"lobby","message":"hi","meta":{"a":[[[[1]]]]}'),
    "huge number": ("ping", '"t":' + "9" * 400),
    "2^53": ("ping", '"t":9007199254740992'),
    "huge exponent": ("ping", '"t":1e400'),
    "fraction": ("ping", '"t":1.5'),
    "negative seq": ("get_history", '"room":"lobby","before":-1'),
    "page too long": ("get_history", '"room":"lobby","limit":201'),
    "two cursors": ("get_history", '"room":"lobby","before":5,"after":1'),
    "NUL in the message": ("send_message", '"room":"lobby","message":"a\\u0000b"'),
    "NUL in the room": ("join_room", '"room":"a\\u0000b"'),
    "blank message": ("send_message", '"room":"lobby","message":" \\n\\t "'),
    "empty message": ("send_message", '"room":"lobby","message":""'),
    "empty key": ("send_message", '"room":"lobby","message":"hi","idempotency_key":""'),
}

_BAD_NAMES = {
    "empty": "",
    "blank": "   ",
    "space before": " alice",
    "space after": "alice ",
    "line break": "ali\nce",
    "escape": "\x1b[31malice",
    "delete": "alice\x7f",
    "right-to-left override": "alice\u202egnp.exe",
    "isolate": "\u2067alice",
    "right-to-left mark": "alice\u200f",
    "zero-width space": "ali\u200bce",
    "line separator": "ali\u2028ce",
    "tag": "alice\U000e0041",
    "private use": "alice\ue000",
    "no character": "alice\uffff",
}


async def _goes_on(client: WebsocketClient) -> None:
    await client.send("ping", ref="and now")
    await client.expect("pong", ref="and now")


class BadInput(Harness):
    """Nothing a client sends ends in silence, and little ends the connection."""

    @pytest.mark.parametrize("text", _NO_FRAMES.values(), ids=_NO_FRAMES)
    async def test_what_is_no_frame_is_refused(self, text: str) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await alice.send_text(text)
            error = await alice.expect("error", code="bad_frame", retryable=False)
            assert error["message"]
            await hello(alice, "alice")
            await alice.send_text(text)
            await alice.expect("error", code="bad_frame", retryable=False)
            await _goes_on(alice)

    @pytest.mark.parametrize(("type_", "fields"), _WRONG_FIELDS.values(), ids=_WRONG_FIELDS)
    async def test_a_wrong_field_is_refused_by_name(self, type_: str, fields: str) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")
            await alice.send_text(f'{{"type":"{type_}","data":{{"ref":"1",{fields}}}}}')
            await alice.expect("error", code="bad_argument", ref="1", retryable=False)
            await _goes_on(alice)

    async def test_an_unknown_type_is_refused(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await alice.send("dance", room="lobby")
            await alice.expect("error", code="unknown_type")
            await hello(alice, "alice")
            await alice.send("dance", room="lobby", ref="1")
            await alice.expect("error", code="unknown_type", ref="1", room="lobby")
            await _goes_on(alice)

    @pytest.mark.parametrize("name", [*_BAD_NAMES.values(), "x" * 129], ids=[*_BAD_NAMES, "long"])
    async def test_a_name_that_could_deceive_is_refused(self, name: str) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await alice.send("hello", protocol=2, username=name)
            await alice.expect("error", code="bad_argument")
            await hello(alice, "alice")
            await alice.send("join_room", room=name, ref="1")
            await alice.expect("error", code="bad_argument", ref="1")
            await bob.send("join_room", room="lobby", username=name)
            await bob.expect("error", code="bad_argument")
            assert await join_seed(bob, "lobby", "bob") == ["bob"]

    async def test_names_of_the_longest_kind_are_taken_as_they_are(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "a" * 64)
            await join(alice, "日" * 128)
            await alice.send("send_message", room="日" * 128, message="✿" * 4_000)
            await alice.expect("new_message", username="a" * 64, message="✿" * 4_000)

    async def test_names_equal_after_normalising_are_the_same_name(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as twin:
            await hello(alice, "Ångström")
            await join(alice, "lobby")
            await hello(twin, "A\u030angstro\u0308M")
            await twin.send("join_room", room="lobby", ref="1")
            await twin.expect("error", code="username_taken", ref="1", room="lobby")
            await _goes_on(twin)

    async def test_a_message_too_long_is_too_large(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")
            await alice.send("send_message", room="lobby", message="x" * 4_001, ref="1")
            await alice.expect("error", code="too_large", ref="1")
            await _goes_on(alice)

    @pytest.mark.parametrize("size", [64 * 1024 + 1, 256 * 1024], ids=["64 KiB", "256 KiB"])
    async def test_a_large_frame_is_refused_and_the_connection_stays(self, size: int) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            frame = json.dumps({"type": "ping", "data": {"ref": "1", "pad": ""}})
            await alice.send_text(frame[:-3] + "x" * (size - len(frame)) + frame[-3:])
            await alice.expect("error", code="too_large", ref="1")
            await _goes_on(alice)

    async def test_a_larger_frame_closes_1009(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await alice.send_text("x" * (256 * 1024 + 1))
            assert (await alice.until_closed()).code == 1009

    async def test_invalid_utf_8_closes_1007(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await alice.send_text(b'{"type":"ping","data":{"ref":"\xff\xfe"}}')
            assert (await alice.until_closed()).code == 1007

    async def test_acting_before_joining_is_refused(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            for type_, more in {
                "send_message": {"message": "hi"},
                "typing_start": {},
                "typing_stop": {},
                "leave_room": {},
                "get_users": {},
                "send_signal": {"name": "wave"},
            }.items():
                await alice.send(type_, room="lobby", ref=type_, **more)
                await alice.expect("error", code="not_joined", ref=type_, room="lobby")
            await _goes_on(alice)

    async def test_binary_frames_are_refused(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await alice.send_binary(b'{"type":"ping","data":{}}')
            await alice.expect("error", code="bad_frame")
            await alice.send_binary(b"")
            await alice.expect("error", code="bad_frame")
            await _goes_on(alice)

    async def test_fragments_are_put_together(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            whole = '{"type":"ping","data":{"ref":"✿ in pieces"}}'.encode()
            await alice.send_text(*[whole[at : at + 1] for at in range(len(whole))])
            await alice.expect("pong", ref="✿ in pieces")

    @pytest.mark.parametrize("every", [1, 2, 7, 200])
    async def test_what_comes_in_one_go_is_answered_in_order(self, every: int) -> None:
        """Whole or, every so many, in fragments."""
        async with self.chat(Limits(frames_burst=1_000)) as chat, chat.connect() as alice:
            await hello(alice, "alice")
            pings = [f'{{"type":"ping","data":{{"t":{number}}}}}' for number in range(150)]
            await alice.send_texts(
                *[
                    [ping] if number % every else [ping[:9], ping[9:17], ping[17:]]
                    for number, ping in enumerate(pings)
                ]
            )
            for number in range(len(pings)):
                await alice.expect("pong", t=number)

    async def test_a_flood_of_frames_is_refused_and_then_cut_off(self) -> None:
        limits = Limits(frames_per_s=1, frames_burst=50, frames_refused=30)
        async with self.chat(limits) as chat, chat.connect() as alice:
            await hello(alice, "alice")
            for number in range(1_000):
                await alice.send("ping", t=number)
            for number in range(50):
                await alice.expect("pong", t=number)
            error = await alice.expect("error", code="rate_limited", retryable=True)
            assert isinstance(error["retry_after_ms"], int)
            assert 0 < error["retry_after_ms"] <= 1_000
            assert (await alice.until_closed()).code == 4020
            assert chat.hub.stats.closes == {4020: 1}

    async def test_messages_beyond_the_pace_are_refused_with_the_time_to_wait(self) -> None:
        limits = Limits(messages_per_s=1, messages_burst=2)
        async with self.chat(limits) as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")
            for number in range(3):
                await alice.send("send_message", room="lobby", message="hi", ref=str(number))
            error = await alice.until("error")
            assert (error["code"], error["ref"]) == ("rate_limited", "2")
            assert isinstance(error["retry_after_ms"], int)
            assert 0 < error["retry_after_ms"] <= 1_000
