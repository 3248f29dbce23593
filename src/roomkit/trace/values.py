"""Values as MessagePack and back, guided by their type annotations; what is shared stays shared.

A codec is compiled from a type. What is plain (scalars, and frozen structs and containers of plain
things) is left to msgspec. A union of classes is written with the name of the class. An object that
can change (a dataclass, a struct that is not frozen) is written once and then by its number, so
that two references to one object come back as two references to one object. Reading makes nothing
but the classes the annotations name: a trace is data, and cannot run anything.
"""

from __future__ import annotations

import dataclasses
import types
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, Generic, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from roomkit.core.timers import Timer, Timers

__all__ = ["Codec"]

T = TypeVar("T")

_Write = Callable[[Any, dict[int, int]], Any]
"""Takes a value, and the numbers of the shared objects written so far by `id`."""

_Read = Callable[[Any, list[Any]], Any]
"""Takes what was written, and the shared objects read so far by number."""

_SCALARS = (str, int, float, bool, bytes, type(None), object)


class Codec(Generic[T]):
    """Writes and reads values of one type.

    Args:
        kind: the type, or union of types, of the values.
    """

    def __init__(self, kind: object) -> None:
        self._write, self._read = _codec(kind)

    def write(self, value: T) -> object:
        """Return the value as what `msgspec.msgpack` encodes by itself.

        It must not change until it has been encoded: parts of it are the value's own.
        """
        written: object = self._write(value, {})
        return written

    def read(self, written: object) -> T:
        """Return the value.

        Raises:
            msgspec.ValidationError, LookupError, TypeError, ValueError: this was written by no
                codec of the type.
        """
        value: T = self._read(written, [])
        return value


@cache
def _codec(kind: Any) -> tuple[_Write, _Read]:
    if _is_plain(kind):
        return _as_it_is, lambda written, _: msgspec.convert(written, kind)
    while hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    if kind is Timers:
        return _write_timers, _read_timers
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(tuple(one for one in arguments if one is not type(None)))
    if origin is dict or origin is Mapping:
        return _mapping(*arguments)
    if origin in (list, deque) or (origin is tuple and arguments[-1] is ...):
        return _sequence(cast("type[list[Any]]", origin), arguments[0])
    if origin is tuple:
        return _pair(*arguments)
    return _class(kind)


@cache
def _is_plain(kind: Any) -> bool:
    """Tell whether msgspec can write it and read it back with no help."""
    while hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        classes = [one for one in arguments if one not in _SCALARS]
        return len(classes) < 2 and all(_is_plain(one) for one in arguments)
    if origin in (dict, list, tuple, Mapping):
        return all(one is ... or _is_plain(one) for one in arguments)
    if not isinstance(kind, type):
        return kind in (Any, None)
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_config__.frozen and all(map(_is_plain, _hints(kind).values()))
    return kind in _SCALARS or issubclass(kind, str | int)


def _hints(kind: Any) -> dict[str, Any]:
    """Return the annotations of the fields of a class, in order."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        names = kind.__struct_fields__
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
        names = tuple(field.name for field in dataclasses.fields(kind))
    else:
        raise TypeError(f"a trace cannot hold a {kind}: use a struct, a dataclass or a plain value")
    hints = get_type_hints(kind)
    return {name: hints[name] for name in names}


def _as_it_is(value: Any, _: dict[int, int]) -> Any:
    return value


def _union(classes: tuple[type, ...]) -> tuple[_Write, _Read]:
    """A class by its name, None as it is."""
    if len(classes) == 1:
        write_one, read_one = _codec(classes[0])
        return (
            lambda value, seen: None if value is None else write_one(value, seen),
            lambda written, found: None if written is None else read_one(written, found),
        )
    names = {one: one.__name__ for one in classes}
    writers = {one: (one.__name__, _codec(one)[0]) for one in classes}
    readers = {one.__name__: _codec(one)[1] for one in classes}
    all_plain = all(map(_is_plain, classes))

    def write(value: Any, seen: dict[int, int]) -> Any:
        if value is None:
            return None
        if all_plain:
            return names[type(value)], value
        name, write_it = writers[type(value)]
        return name, write_it(value, seen)

    def read(written: Any, found: list[Any]) -> Any:
        return None if written is None else readers[written[0]](written[1], found)

    return write, read


def _mapping(key: Any, value: Any) -> tuple[_Write, _Read]:
    write_key, read_key = _codec(key)
    write_value, read_value = _codec(value)
    return (
        lambda held, seen: [(write_key(k, seen), write_value(v, seen)) for k, v in held.items()],
        lambda written, found: {read_key(k, found): read_value(v, found) for k, v in written},
    )


def _sequence(container: type[list[Any]], item: Any) -> tuple[_Write, _Read]:
    write_item, read_item = _codec(item)
    if write_item is _as_it_is:
        return (
            lambda held, _: list(held),
            lambda written, _: container(msgspec.convert(written, list[item])),
        )
    return (
        lambda held, seen: [write_item(one, seen) for one in held],
        lambda written, found: container([read_item(one, found) for one in written]),
    )


def _pair(first: Any, second: Any) -> tuple[_Write, _Read]:
    write_first, read_first = _codec(first)
    write_second, read_second = _codec(second)
    return (
        lambda held, seen: (write_first(held[0], seen), write_second(held[1], seen)),
        lambda written, found: (read_first(written[0], found), read_second(written[1], found)),
    )


def _class(kind: type) -> tuple[_Write, _Read]:
    """A class by its fields in order; one that can change by its number if it came before."""
    fields = [(name, *_codec(hint)) for name, hint in _hints(kind).items()]
    values_of = attrgetter(*[name for name, _, _ in fields])
    to_write = [
        (index, write_it)
        for index, (_, write_it, _) in enumerate(fields)
        if write_it is not _as_it_is
    ]
    one_field = len(fields) == 1

    def write(value: Any, seen: dict[int, int]) -> Any:
        values = [values_of(value)] if one_field else list(values_of(value))
        for index, write_it in to_write:
            values[index] = write_it(values[index], seen)
        return values

    def read(written: Any, found: list[Any]) -> Any:
        pairs = zip(fields, written, strict=True)
        return kind(**{name: read_it(one, found) for (name, _, read_it), one in pairs})

    if issubclass(kind, msgspec.Struct) and kind.__struct_config__.frozen:
        return write, read

    def write_once(value: Any, seen: dict[int, int]) -> Any:
        number = seen.get(id(value))
        if number is not None:
            return number
        written = write(value, seen)
        seen[id(value)] = len(seen)
        return written

    def read_once(written: Any, found: list[Any]) -> Any:
        if isinstance(written, int):
            return found[written]
        value = read(written, found)
        found.append(value)
        return value

    return write_once, read_once


def _write_timers(value: Timers, _: dict[int, int]) -> list[tuple[Timer, str, int]]:
    return list(value)


def _read_timers(written: Any, _: list[Any]) -> Timers:
    timers = Timers()
    for timer, key, at in msgspec.convert(written, list[tuple[Timer, str, int]]):
        timers.set(timer, key, at)
    return timers
