"""The protocol as published; `python -m roomkit.wire.schema docs/schema` writes it there.

`schema.json` is JSON Schema (2020-12) of every frame, `asyncapi.json` tells who sends which and
when. Both are made from the types that decode and encode the frames, so they cannot differ.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from roomkit.wire.asyncapi import asyncapi_document
from roomkit.wire.catalogue import FROM_CLIENT, FROM_SERVER
from roomkit.wire.components import JsonObject, components
from roomkit.wire.envelope import Frame

__all__ = ["documents", "schema_document", "write"]

_REF = "#/$defs/{name}"
_DIRECTIONS = {"Client": FROM_CLIENT, "Server": FROM_SERVER}


def schema_document() -> JsonObject:
    """Return the JSON Schema document.

    Its `$defs` hold `Protocol1ClientFrame`, `Protocol1ServerFrame` and the same for protocol 2,
    each a choice among the frames of that protocol and side; and every type they are made of.
    """
    every = [
        frame for sides in _DIRECTIONS.values() for frames in sides.values() for frame in frames
    ]
    unions: JsonObject = {
        f"Protocol{protocol}{side}Frame": _choice(protocol, side, frames)
        for side, protocols in _DIRECTIONS.items()
        for protocol, frames in protocols.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "roomkit frames",
        "description": (
            "Every frame of both protocols. Keys that are not listed are to be ignored. "
            "Sizes and lengths depend on the server's limits, which are in welcome."
        ),
        "anyOf": [{"$ref": _REF.format(name=name)} for name in unions],
        "$defs": {**unions, **components(every, _REF)},
    }


def _choice(protocol: int, side: str, frames: tuple[type[Frame], ...]) -> JsonObject:
    return {
        "description": f"What a {side.lower()} may send in protocol {protocol}.",
        "oneOf": [{"$ref": _REF.format(name=frame.__name__)} for frame in frames],
    }


def documents() -> dict[str, str]:
    """Return the text of each published file, by name."""
    made = {"asyncapi.json": asyncapi_document(), "schema.json": schema_document()}
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in made.items()
    }


def write(folder: Path) -> None:
    """Write the documents into `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m roomkit.wire.schema FOLDER")
    write(Path(sys.argv[1]))
