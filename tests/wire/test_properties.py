"""Whatever arrives, whatever is told: no surprise, nothing lost, nothing of the wrong protocol."""

from __future__ import annotations

import json

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from roomkit.core.commands import Command, Hello
from roomkit.core.events import Event, Failure
from roomkit.wire import WireError
from roomkit.wire.catalogue import FROM_CLIENT, FROM_SERVER
from roomkit.wire.envelope import type_of
from tests.wire.client import CODEC, LIMITS
from tests.wire.strategies import commands, events, json_values, wild_frames

TYPES = {frame.__annotations__["data"]: type_of(frame) for frame in FROM_CLIENT[2]}
protocols = st.sampled_from([0, 1, 2])
any_text = st.text(st.characters(exclude_categories=()))
enveloped = st.builds(
    lambda kind, data: json.dumps({"type": kind, "data": data}),
    st.sampled_from([*TYPES.values(), "dance"]) | json_values,
    json_values,
)
cut_short = st.builds(lambda text, end: text[: int(len(text) * end)], enveloped, st.floats(0, 1))
spliced = st.builds(
    lambda text, extra, at: text[: int(len(text) * at)] + extra + text[int(len(text) * at) :],
    enveloped,
    any_text,
    st.floats(0, 1),
)

wild = wild_frames.map(json.dumps)


def decoded(frame: str | bytes, protocol: int) -> Hello | Command | WireError:
    try:
        return CODEC.decode(frame, protocol)
    except WireError as error:
        return error


def text_of(command: Command, **more: object) -> str:
    data = {**msgspec.to_builtins(command), **more}
    return json.dumps({"type": TYPES[type(command).__name__], "data": data})


@given(any_text | st.binary() | enveloped | cut_short | spliced | wild, protocols)
@example("[" * 10_000, 2)
@example('{"type":"send_signal","data":{"room":"a","name":"n","payload":' + "9" * 5000 + "}}", 2)
@example('{"type":"ping","data":{"t":1e999}}', 2)
@example('{"type":"ping","type":"dance","data":{},"data":[]}', 2)
def test_whatever_arrives_is_a_command_or_a_wire_error(frame: str | bytes, protocol: int) -> None:
    answer = decoded(frame, protocol)
    if not isinstance(answer, WireError):
        assert isinstance(answer, Hello | Command)
        return
    assert not answer.code.retryable
    assert answer.ref is None or (protocol == 2 and 0 < len(answer.ref) <= LIMITS.ref_chars)
    assert answer.room is None or len(answer.room) <= LIMITS.room_name_chars
    failure = Failure(answer.code, answer.message, answer.ref, answer.room)
    assert all(CODEC.encode(failure, told) for told in (1, 2))


@given(commands)
def test_a_command_survives_the_way_over_the_wire(command: Command) -> None:
    assert CODEC.decode(text_of(command), 2) == command


@given(commands, st.dictionaries(st.text("xyz", min_size=1), json_values, max_size=3))
def test_unknown_keys_change_nothing(command: Command, more: dict[str, object]) -> None:
    assert CODEC.decode(text_of(command, **more), 2) == command


@given(commands)
def test_ref_comes_back_whatever_else_is_wrong(command: Command) -> None:
    wrong = json.loads(text_of(command, ref="r", room="lobby"))
    wrong["type"] += "!"
    error = decoded(json.dumps(wrong), 2)
    assert isinstance(error, WireError)
    assert (error.code, error.ref, error.room) == ("unknown_type", "r", "lobby")


@given(events)
def test_protocol_1_is_never_sent_a_type_outside_its_list(event: Event) -> None:
    sent = {json.loads(frame)["type"] for frame in CODEC.encode(event, 1)}
    assert sent <= {type_of(frame) for frame in FROM_SERVER[1]}


@given(events)
def test_protocol_2_is_sent_exactly_one_frame_per_event(event: Event) -> None:
    (frame,) = CODEC.encode(event, 2)
    assert json.loads(frame)["type"] in {type_of(known) for known in FROM_SERVER[2]}


@given(events)
def test_an_entry_keeps_its_place_in_its_frame(event: Event) -> None:
    place = {name: getattr(event, name, None) for name in ("room", "seq", "link")}
    if None not in place.values():
        (frame,) = CODEC.encode(event, 2)
        assert json.loads(frame)["data"].items() >= place.items()
