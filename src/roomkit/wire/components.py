"""JSON Schema of frames, made from their types: bounds of numbers and texts of docstrings included.

What depends on `Limits` is not in here: a server sends its limits in `welcome`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import cast

import msgspec

from roomkit.wire.envelope import MAX_INTEGER, Frame

__all__ = ["JsonObject", "components"]

JsonObject = dict[str, object]

_SIGNED = "t"
"""The one number of the protocol that may be negative: it is only echoed."""

_SECTION = re.compile(r"^\w+:\n", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8,}.+)*)", re.MULTILINE)


def components(frames: Iterable[type[Frame]], ref_template: str) -> dict[str, JsonObject]:
    """Return the schemas of these frames and of every type in them, by name.

    Args:
        ref_template: what `$ref` holds, with `{name}` in it.
    """
    _, found = msgspec.json.schema_components(
        frames, schema_hook=_any_value, ref_template=ref_template
    )
    for schema in found.values():
        _describe(schema)
        for name, field in _properties(schema).items():
            _tidy(name, field)
    return dict(sorted(found.items()))


def _any_value(kind: type) -> JsonObject:
    if kind is object:
        return {"title": "any JSON value"}
    raise NotImplementedError(kind)


def _properties(schema: JsonObject) -> dict[str, JsonObject]:
    return cast("dict[str, JsonObject]", schema.get("properties", {}))


def _describe(schema: JsonObject) -> None:
    """Cut the description at its first section, and hand the attributes out to the properties."""
    written = inspect.cleandoc(str(schema.get("description", "")))
    text, *sections = _SECTION.split(written, maxsplit=1)
    schema["description"] = " ".join(text.split())
    properties = _properties(schema)
    for name, words in _ATTRIBUTE.findall("".join(sections)):
        if name in properties:
            properties[name]["description"] = " ".join(words.split())


def _tidy(name: str, field: JsonObject) -> None:
    """Drop defaults that say nothing, and bound whole numbers."""
    if field.get("default", 0) is None or isinstance(field.get("default"), dict):
        del field["default"]
    choices = cast("list[JsonObject]", field.get("anyOf", [field]))
    for choice in choices:
        if choice.get("type") == "integer":
            choice["minimum"] = -MAX_INTEGER if name == _SIGNED else 0
            choice["maximum"] = MAX_INTEGER
