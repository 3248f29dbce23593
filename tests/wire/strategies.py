"""Hypothesis strategies made from the types: any event, any command a client may send, any JSON."""

from __future__ import annotations

import types
from enum import Enum
from typing import NewType, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from roomkit.core.commands import Command, Hello
from roomkit.core.events import Event, Welcomed
from roomkit.ids import ORIGIN, Position
from roomkit.wire.catalogue import FROM_CLIENT
from roomkit.wire.envelope import MAX_INTEGER, type_of

YEAR_10000_MS = 253_402_300_800_000

whole_numbers = st.integers(0, MAX_INTEGER)
times = st.integers(0, YEAR_10000_MS - 1)
texts = st.text(max_size=30)
short_texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=9)
links = st.text("0123456789abcdef", min_size=16, max_size=16)
positions = st.just(ORIGIN) | st.builds(Position, st.integers(1, MAX_INTEGER), links)

json_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
json_values = st.recursive(
    json_leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
small_objects = st.dictionaries(short_texts, st.integers(0, 9) | short_texts, max_size=3)

_BY_NAME: dict[str, SearchStrategy[object]] = {
    "at": times,
    "link": links,
    "server_time": times,
}
_BY_HINT: dict[object, SearchStrategy[object]] = {
    bool: st.booleans(),
    dict[str, object]: st.dictionaries(texts, json_values, max_size=3),
    float: st.floats(allow_nan=False),
    int: whole_numbers,
    object: json_values,
    str: texts,
    types.NoneType: st.none(),
    Position: positions,
}
_BY_HINT_OF_COMMANDS: dict[object, SearchStrategy[object]] = {
    **_BY_HINT,
    dict[str, object]: small_objects,
    object: small_objects,
    str: short_texts,
}


def of_struct(
    kind: type[msgspec.Struct], by_hint: dict[object, SearchStrategy[object]]
) -> SearchStrategy[msgspec.Struct]:
    """Any value of a struct; fields are chosen by name where that says more than the type."""
    return st.builds(
        kind,
        **{
            name: _BY_NAME[name] if name in _BY_NAME else of_hint(hint, by_hint)
            for name, hint in get_type_hints(kind).items()
            if name in kind.__struct_fields__
        },
    )


def of_hint(hint: object, by_hint: dict[object, SearchStrategy[object]]) -> SearchStrategy[object]:
    if hint in by_hint:
        return by_hint[hint]
    if isinstance(hint, NewType):
        return of_hint(hint.__supertype__, by_hint)
    if get_origin(hint) in (types.UnionType, Union):
        return st.one_of(*(of_hint(option, by_hint) for option in get_args(hint)))
    if get_origin(hint) is tuple:
        return st.lists(of_hint(get_args(hint)[0], by_hint), max_size=4).map(tuple)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if "since" in hint.__struct_fields__ and "sessions" in hint.__struct_fields__:
            return of_struct(hint, {**by_hint, int: times})
        return of_struct(hint, by_hint)
    raise NotImplementedError(hint)


EVENT_TYPES: tuple[type[Event], ...] = tuple(
    kind for kind in get_args(Event) if kind is not Welcomed
)
COMMAND_TYPES: tuple[type[Command], ...] = get_args(Command)

events = st.one_of(*(of_struct(kind, _BY_HINT) for kind in EVENT_TYPES))
commands = st.one_of(*(of_struct(kind, _BY_HINT_OF_COMMANDS) for kind in COMMAND_TYPES))
welcomes = of_struct(Welcomed, _BY_HINT)

_FIELDS = sorted(
    {
        name
        for kind in (*get_args(Command), Hello)
        for name in cast("type[Hello]", kind).__struct_fields__
    }
)
wild_frames = st.fixed_dictionaries(
    {
        "type": st.sampled_from([type_of(frame) for frame in FROM_CLIENT[2]]),
        "data": st.dictionaries(
            st.sampled_from(_FIELDS),
            st.none()
            | st.integers(-3, 3)
            | texts
            | json_values
            | st.just({"seq": 1, "link": "0123456789abcdef"}),
        ),
    }
)
"""The envelope is right, the fields have their names, and what is in them is anything."""
