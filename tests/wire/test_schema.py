"""The published documents are current and true of every frame that is sent or accepted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from roomkit.core.commands import Command, Hello
from roomkit.core.events import Event, Welcomed
from roomkit.ids import ConnectionId
from roomkit.wire import WireError
from roomkit.wire.catalogue import FROM_CLIENT, FROM_SERVER
from roomkit.wire.envelope import type_of
from roomkit.wire.schema import documents
from tests.wire.client import CODEC, LINK
from tests.wire.examples import FRAMES
from tests.wire.strategies import events, welcomes, wild_frames

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "schema"
SCHEMA = json.loads((PUBLISHED / "schema.json").read_text(encoding="utf-8"))
ASYNCAPI = json.loads((PUBLISHED / "asyncapi.json").read_text(encoding="utf-8"))


def validator(union: str) -> Draft202012Validator:
    """Judge frames by one of the four choices in the document."""
    return Draft202012Validator({"$ref": f"#/$defs/{union}", "$defs": SCHEMA["$defs"]})


SERVER = {protocol: validator(f"Protocol{protocol}ServerFrame") for protocol in (1, 2)}
CLIENT = {protocol: validator(f"Protocol{protocol}ClientFrame") for protocol in (1, 2)}


def objects_in(document: object) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield cast("dict[str, Any]", document)
    if isinstance(document, dict | list):
        for inner in document.values() if isinstance(document, dict) else document:
            yield from objects_in(inner)


def resolve(document: object, reference: str) -> object:
    place = document
    assert reference.startswith("#/")
    for step in reference.removeprefix("#/").split("/"):
        place = cast("dict[str, object]", place)[step]
    return place


@pytest.mark.parametrize("name", ["asyncapi.json", "schema.json"])
def test_the_published_file_is_current(name: str) -> None:
    published = (PUBLISHED / name).read_text(encoding="utf-8")
    assert published == documents()[name], (
        "the types changed: run `python -m roomkit.wire.schema docs/schema` and read the difference"
    )


def test_the_command_line_writes_the_same_files_in_another_process(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    subprocess.run([sys.executable, "-m", "roomkit.wire.schema", str(folder)], check=True)
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert written == documents()


def test_the_command_line_says_how_it_is_used() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "roomkit.wire.schema"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (1, "usage: python -m roomkit.wire.schema FOLDER\n")


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("document", [SCHEMA, ASYNCAPI], ids=["schema", "asyncapi"])
def test_every_reference_leads_somewhere(document: object) -> None:
    references = [found["$ref"] for found in objects_in(document) if "$ref" in found]
    assert references
    for reference in references:
        assert isinstance(resolve(document, reference), dict)


def test_every_type_and_every_field_of_data_is_described_once() -> None:
    described = [name for name, schema in SCHEMA["$defs"].items() if not schema.get("description")]
    assert described == []
    untidy = [name for name, schema in SCHEMA["$defs"].items() if ":\n" in schema["description"]]
    assert untidy == []
    assert SCHEMA["$defs"]["Gap"]["properties"]["from_seq"] == {
        "type": "integer",
        "description": "the first seq that was missed.",
        "minimum": 0,
        "maximum": 2**53 - 1,
    }


# Frames


def test_every_command_has_a_frame() -> None:
    carried = [frame.__annotations__["data"] for frame in FROM_CLIENT[2]]
    assert sorted(carried) == sorted(kind.__name__ for kind in (*get_args(Command), Hello))
    assert {type_of(frame) for frame in FROM_CLIENT[1]} == {
        "join_room",
        "leave_room",
        "send_message",
        "typing_start",
        "typing_stop",
    }


def test_protocol_1_is_sent_eight_types() -> None:
    assert {type_of(frame) for frame in FROM_SERVER[1]} == {
        "message_history",
        "room_users",
        "user_joined",
        "user_left",
        "new_message",
        "user_typing",
        "user_stopped_typing",
        "error",
    }


def test_protocol_2_is_sent_what_its_events_need_and_no_more() -> None:
    sent = {kind for _, kind, _ in FRAMES} | {"welcome"}
    assert {type_of(frame) for frame in FROM_SERVER[2]} == sent


@pytest.mark.parametrize("protocol", [1, 2])
@given(event=events)
def test_every_event_encodes_to_frames_the_schema_describes(event: Event, protocol: int) -> None:
    for frame in CODEC.encode(event, protocol):
        SERVER[protocol].validate(json.loads(frame))


@given(event=welcomes)
def test_every_welcome_is_one_the_schema_describes(event: Welcomed) -> None:
    frame = CODEC.encode_welcome(
        event,
        connection_id=ConnectionId("c1"),
        session_token="s",
        guest_token=None,
        durability="memory",
        features=["x"],
    )
    SERVER[2].validate(json.loads(frame))


def test_the_schema_refuses_a_frame_with_a_wrong_or_missing_field() -> None:
    good = {"type": "room_advanced", "data": {"room": "lobby", "seq": 1, "link": LINK}}
    assert SERVER[2].is_valid(good)
    assert not SERVER[1].is_valid(good)
    assert not CLIENT[2].is_valid(good)
    for wrong in ({"seq": "1"}, {"seq": -1}, {"seq": 2**53}, {"link": "x"}, {"room": None}):
        assert not SERVER[2].is_valid({**good, "data": {**good["data"], **wrong}})  # type: ignore[dict-item]  # the data is a dict
    assert not SERVER[2].is_valid({"type": "room_advanced", "data": {"room": "lobby", "seq": 1}})
    assert not SERVER[2].is_valid({"type": "dance", "data": {}})


@given(frame=wild_frames, protocol=st.sampled_from([0, 1, 2]))
def test_every_frame_that_is_accepted_is_one_the_schema_describes(
    frame: dict[str, object], protocol: int
) -> None:
    try:
        command = CODEC.decode(json.dumps(frame), protocol)
    except WireError:
        return
    CLIENT[2 if protocol == 2 or isinstance(command, Hello) else 1].validate(frame)


# AsyncAPI


def test_the_asyncapi_document_has_what_version_3_asks_for() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert set(ASYNCAPI["info"]) >= {"title", "version"}
    assert set(ASYNCAPI["channels"]) == {"protocol1", "protocol2"}
    for channel in ASYNCAPI["channels"].values():
        assert channel["address"] == "/ws"
        assert channel["messages"]
    for message in ASYNCAPI["components"]["messages"].values():
        assert set(message) == {"name", "title", "summary", "tags", "payload"}
        payload = cast("dict[str, Any]", resolve(ASYNCAPI, message["payload"]["$ref"]))
        assert payload["properties"]["type"] == {"enum": [message["name"]]}


@pytest.mark.parametrize("protocol", [1, 2])
@pytest.mark.parametrize(("action", "frames"), [("receive", FROM_CLIENT), ("send", FROM_SERVER)])
def test_each_frame_is_an_operation_of_its_protocol(
    action: str, frames: dict[int, tuple[type, ...]], protocol: int
) -> None:
    start = f"protocol{protocol}.{action}."
    operations = {
        name.removeprefix(start): operation
        for name, operation in ASYNCAPI["operations"].items()
        if name.startswith(start)
    }
    assert set(operations) == {type_of(frame) for frame in frames[protocol]}
    for kind, operation in operations.items():
        assert operation["action"] == action
        assert operation["channel"] == {"$ref": f"#/channels/protocol{protocol}"}
        assert operation["tags"] == [{"name": f"protocol {protocol}"}]
        offered = [resolve(ASYNCAPI, one["$ref"]) for one in operation["messages"]]
        named = [resolve(ASYNCAPI, cast("dict[str, str]", one)["$ref"]) for one in offered]
        assert [cast("dict[str, object]", one)["name"] for one in named] == [kind]


def test_a_command_says_what_answers_it() -> None:
    reply = ASYNCAPI["operations"]["protocol2.receive.join_room"]["reply"]
    assert reply == {
        "channel": {"$ref": "#/channels/protocol2"},
        "messages": [
            {"$ref": "#/channels/protocol2/messages/RoomJoinedFrame"},
            {"$ref": "#/channels/protocol2/messages/ErrorFrame"},
        ],
    }
