"""The protocol page shows frames that are: each is of its type, each conversation can be held."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Union

import msgspec
import pytest

from roomkit import Hub, Limits
from roomkit.testing.socketless import Client, connect
from roomkit.wire import Codec
from roomkit.wire.catalogue import FROM_CLIENT, FROM_SERVER
from roomkit.wire.envelope import type_of

PAGE = Path(__file__).resolve().parents[2] / "docs/protocol.md"
FENCE = re.compile(r'^```(json|text) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SAID = re.compile(r"^(\w+) +([→←]) (.*(?:\n +.*)*)", re.MULTILINE)

MADE_BY_CHANCE = ("id", "link", "user_id")
TIMES = ("since", "timestamp")

Json = dict[str, Any]


def fences(title: str) -> list[str]:
    page = PAGE.read_text(encoding="utf-8")
    return [match[3] for match in FENCE.finditer(page) if match[2] == title]


def shown(title: str) -> list[Json]:
    return [json.loads(text) for text in fences(title)]


def conversation(protocol: int) -> Iterator[tuple[str, str, Json]]:
    """Who, `→` or `←`, and the frame, in order."""
    (text,) = fences(f"conversation, protocol {protocol}")
    said = SAID.findall(text)
    assert len(said) == text.count("→") + text.count("←")
    return ((who, way, json.loads(frame)) for who, way, frame in said)


def unlike(example: object, actual: object, where: str = "") -> list[str]:
    """What an example shows that is not so; it may leave things out."""
    if isinstance(example, dict) and isinstance(actual, dict):
        return [
            problem
            for name, value in example.items()
            for problem in unlike(value, actual.get(name, "absent"), f"{where}.{name}")
        ]
    return [] if example == actual else [f"{where}: {example!r}, and not {actual!r}"]


@pytest.mark.parametrize("frame", shown("client"), ids=lambda frame: str(frame["type"]))
def test_what_a_client_sends_on_the_page_is_understood(frame: Json) -> None:
    first = frame["type"] == "hello"
    command = Codec(Limits()).decode(json.dumps(frame), 0 if first else 2)
    assert unlike(frame["data"], msgspec.to_builtins(command)) == []


@pytest.mark.parametrize("frame", shown("server"), ids=lambda frame: str(frame["type"]))
def test_what_a_server_sends_on_the_page_is_of_its_type(frame: Json) -> None:
    sent = msgspec.convert(frame, Union[FROM_SERVER[2]])  # noqa: UP007 - made at run time
    assert unlike(frame, json.loads(msgspec.json.encode(sent))) == []


def test_every_frame_is_shown() -> None:
    every = {type_of(frame) for side in (FROM_CLIENT, FROM_SERVER) for frame in side[2]}
    held = {frame["type"] for _, _, frame in conversation(2)}
    single = {frame["type"] for title in ("client", "server") for frame in shown(title)}
    assert single | held == every
    assert {frame["type"] for _, way, frame in conversation(1) if way == "←"} == {
        type_of(frame) for frame in FROM_SERVER[1]
    }


class Reader:
    """Compares what came with what the page shows; the same stand-in means the same thing.

    Names of `users` come in the order of ids, which are made by chance.
    """

    def __init__(self) -> None:
        self.stands_for: dict[object, object] = {}

    def match(self, example: object, actual: object, name: str = "") -> None:
        if isinstance(example, dict) and isinstance(actual, dict):
            assert set(example) == set(actual), (example, actual)
            for key, value in example.items():
                self.match(value, actual[key], key)
        elif isinstance(example, list) and isinstance(actual, list):
            assert len(example) == len(actual), (example, actual)
            if name == "users":
                example, actual = sorted(example), sorted(actual)
            for one, other in zip(example, actual, strict=True):
                self.match(one, other, name)
        elif name in MADE_BY_CHANCE:
            assert self.stands_for.setdefault(example, actual) == actual
        elif name in TIMES:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(actual))
        else:
            assert example == actual, name


@pytest.mark.parametrize("protocol", [1, 2])
async def test_a_conversation_on_the_page_can_be_held(protocol: int) -> None:
    people: dict[str, Client] = {}
    reader = Reader()
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(Hub())
        for who, way, frame in conversation(protocol):
            if who not in people:
                people[who] = await stack.enter_async_context(connect(hub))
                if protocol == 2:
                    await people[who].send("hello", {"protocol": 2, "username": who})
                    assert (await people[who].receive()).type == "welcome"
            if way == "→":
                await people[who].send(frame["type"], frame["data"])
            else:
                reader.match(frame, msgspec.to_builtins(await people[who].receive()))
        for person in people.values():
            await person.send("is that all?", {})
            assert (await person.receive()).data["code"] == "unknown_type"
