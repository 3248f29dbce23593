"""Playing a vector against the Python machine."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from typing import cast

import msgspec

from roomkit.client.asks import Connect, Disconnect, Output, Transmit
from roomkit.client.machine import Machine
from roomkit.testing.vectors.inputs import do

__all__ = ["Mismatch", "outcome", "play"]

Json = Mapping[str, object]


class Mismatch(AssertionError):
    """A client did something else than the vector says; the message names the step."""


def outcome(output: Output) -> dict[str, object] | None:
    """Return the step that says what a client did; None for what is not the wire's business."""
    match output:
        case Transmit(frame):
            return {"out": frame}
        case Connect(after_ms):
            return {"reconnect_in": after_ms}
        case Disconnect(code):
            return {"close": code}
        case _:
            return None


def play(vector: Json) -> None:
    """Hold the Python machine to a vector.

    Args:
        vector: as decoded from its file.

    Raises:
        Mismatch: the machine did something else.
    """
    keys = itertools.count(1)
    options = cast("dict[str, str]", vector["client"])
    machine = Machine(random=lambda: 0.5, mint=lambda: f"key-{next(keys)}", **options)
    waiting: deque[Json] = deque()
    for number, step in enumerate(cast("list[Json]", vector["steps"])):
        now = cast("int", step["at"])
        if "do" in step or "in" in step:
            _expect(number, None, waiting.popleft() if waiting else None)
        if "do" in step:
            ((name, given),) = cast("Mapping[str, Json]", step["do"]).items()
            outputs = do(machine, name, given, now)
        elif "in" in step:
            outputs = machine.received(msgspec.json.encode(step["in"]), now)
        elif "view" in step:
            _expect(number, step["view"], msgspec.to_builtins(machine.view))
            continue
        else:
            expected = {name: value for name, value in step.items() if name != "at"}
            _expect(number, expected, waiting.popleft() if waiting else None)
            continue
        waiting += [said for output in outputs if (said := outcome(output)) is not None]
    _expect(len(cast("list[Json]", vector["steps"])), None, waiting.popleft() if waiting else None)


def _expect(number: int, expected: object, found: object) -> None:
    if _plain(expected) != _plain(found):
        raise Mismatch(f"step {number}: expected {expected!r}, the client gave {found!r}")


def _plain(value: object) -> object:
    return msgspec.json.decode(msgspec.json.encode(value))
