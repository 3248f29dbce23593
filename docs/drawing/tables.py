"""The tables of the documentation, made from the types and tables of the code."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import cast, get_args

import meanings

from roomkit import CloseCode, ErrorCode, Limits, settings
from roomkit.cli import words
from roomkit.core import effects, events, inputs, timers
from roomkit.core.table import TABLE, Row
from roomkit.wire.schema import schema_document

__all__ = ["TABLES"]

_PROJECT = Path(__file__).resolve().parents[2]
_PACKAGES = [
    *(
        _PROJECT / "src/roomkit" / name
        for name in ("", "core", "wire", "stores", "trace", "runtime", "client", "testing", "cli")
    ),
    *(_PROJECT / "adapters" / f"roomkit_{name}" for name in ("starlette", "zestapi", "websockets")),
]

_READING_ORDER = {
    "roomkit": ("errors", "ids", "limits"),
    "roomkit.core": (
        "commands",
        "inputs",
        "effects",
        "events",
        "views",
        "storage",
        "engine",
        "table",
        "queue",
        "turn",
        "intake",
        "state",
        "facts",
        "room",
        "batch",
        "log",
        "membership",
        "messages",
        "reading",
        "hosting",
        "sessions",
        "presence",
        "history",
        "tail",
        "typists",
        "signals",
        "following",
        "keeping",
        "pacing",
        "policy",
        "names",
        "timers",
    ),
    "roomkit.wire": ("envelope", "client_frames", "legacy_frames", "codec", "decoding", "checks"),
    "roomkit.stores": ("base", "memory", "memory_room"),
    "roomkit.trace": ("records", "values", "folder", "reading", "replaying", "differing"),
    "roomkit.cli": ("main", "replay", "explain", "chronicle", "causes", "words", "shown"),
    "roomkit.client": (
        "view_data",
        "view",
        "view_room",
        "view_pending",
        "asks",
        "machine",
        "link",
        "rooms",
        "lane",
        "outbox",
        "chat",
        "room",
    ),
    "roomkit.runtime": (
        "transport",
        "hub",
        "serving",
        "reader",
        "handshake",
        "tokens",
        "origins",
        "node",
        "deliveries",
        "fanout",
        "outbox",
        "connection",
        "lanes",
        "feed",
        "alarm",
        "clock",
    ),
}
"""Where to begin in a package; modules not named here follow by name."""


def _limits() -> str:
    fields = {name: _amount(name, value) for name, value in _defaults().items()}
    return _limit_tables("field", fields, lambda name: name)


def _variables() -> str:
    fields = {name: str(value) for name, value in _defaults().items()}
    return _limit_tables("variable", fields, lambda name: f"ROOMKIT_{name.upper()}")


def _limit_tables(head: str, shown: dict[str, str], called: Callable[[str], str]) -> str:
    meant = [name for group in meanings.LIMITS.values() for name in group]
    _same("limits", shown, meant)
    parts: list[str] = []
    for title, group in meanings.LIMITS.items():
        rows = [(f"`{called(name)}`", shown[name], words) for name, words in group.items()]
        parts.append(f"**{title}**\n\n{_table((head, 'default', 'what it bounds'), rows)}")
    return "\n\n".join(parts)


def _defaults() -> dict[str, int]:
    limits = Limits()
    return {name: cast("int", getattr(limits, name)) for name in limits.__struct_fields__}


def _amount(name: str, value: int) -> str:
    """Return a default as people say it: `64 KiB`, `15 s`, `4 000`."""
    if name.endswith("_bytes") and value % 1024 == 0:
        return f"{value // 1024 // 1024} MiB" if value % 1024**2 == 0 else f"{value // 1024} KiB"
    if name.endswith("_bytes"):
        return f"{value} bytes"
    if name.endswith("_ms"):
        for unit, size in (("days", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
            if value % size == 0 and value // size >= (2 if unit == "days" else 1):
                return f"{value // size} {unit}"
        return f"{value} ms"
    return f"{value:,}".replace(",", " ")


def _sources() -> str:
    """The table at the head of `roomkit.settings`."""
    lines = (settings.__doc__ or "").splitlines()
    return "\n".join(line for line in lines if line.startswith("|"))


def _error_codes() -> str:
    _same("error codes", [code.value for code in ErrorCode], meanings.ERROR_CODES)
    rows = [
        (
            f"`{code}`",
            "yes" if code.retryable else "",
            meanings.ERROR_CODES[code] + _unless_used("ErrorCode", code.name),
        )
        for code in ErrorCode
    ]
    return _table(("code", "retryable", "when"), rows)


def _close_codes() -> str:
    _same("close codes", [code.name for code in CloseCode], meanings.CLOSE_CODES)
    rows = [
        (
            str(int(code)),
            f"`{code.name.lower()}`",
            "yes" if code.reconnect else "no",
            meanings.CLOSE_CODES[code.name] + _unless_used("CloseCode", code.name),
        )
        for code in CloseCode
    ]
    return _table(("code", "name", "come back", "when"), rows)


def _unless_used(table: str, name: str) -> str:
    """Say so if nothing in the library mentions a code but its own table."""
    return "" if f"{table}.{name}" in _library() else " (not sent by this version)"


@cache
def _library() -> str:
    files = [path for folder in ("src", "adapters") for path in (_PROJECT / folder).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def _dependencies() -> str:
    """What pyproject.toml asks for, by what asks for it."""
    project = tomllib.loads((_PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    groups: dict[str, list[object]] = project["dependency-groups"]
    asked: dict[str, list[object]] = {
        "everybody": project["project"]["dependencies"],
        **{f"the extra `{extra}`": [*wanted] for extra, wanted in extras.items()},
        "the build": project["build-system"]["requires"],
        **{f"work: {group}": wanted for group, wanted in groups.items()},
    }
    wanting: dict[str, list[str]] = {}
    for who, wanted in asked.items():
        for requirement in wanted:
            name = _package(requirement)
            if name:
                wanting.setdefault(name, []).append(who)
    _same("dependencies", wanting, meanings.DEPENDENCIES)
    rows = [(name, ", ".join(who), meanings.DEPENDENCIES[name]) for name, who in wanting.items()]
    return _table(("package", "for", "why"), rows)


def _package(requirement: object) -> str | None:
    """Return the name in a requirement; None for another group, or for roomkit itself."""
    if not isinstance(requirement, str) or requirement.startswith("roomkit"):
        return None
    name = re.split(r"[<>=~! ]", requirement, maxsplit=1)[0]
    return name if name == "anyio[trio]" else name.split("[")[0]


def _commands() -> str:
    """One row per command, one column per field of `Row`."""
    whose = {"commands": "client", "inputs": "host", "state": "engine"}
    fields = [name for name in Row.__struct_fields__ if name != "handler"]
    rows = [
        (
            f"`{kind.__name__}`",
            whose[_module(kind)],
            *(_cell(cast("object", getattr(row, name))) for name in fields),
            f"`{_module(row.handler)}`",
        )
        for kind, row in TABLE.items()
    ]
    return _table(("command", "from", *fields, "judged in"), rows)


def _module(thing: object) -> str:
    return thing.__module__.rsplit(".", 1)[1]


def _cell(value: object) -> str:
    """Say yes by a tick, name what has a name, and leave the rest empty."""
    return "✓" if value is True else f"`{value}`" if value else ""


def _effects() -> str:
    rows: list[tuple[str, ...]] = []
    for kind in get_args(effects.Effect):
        found = re.search(r"[Aa]nswered by (?:the input )?`(\w+)`", kind.__doc__ or "")
        rows.append((f"`{kind.__name__}`", _first(kind.__doc__), f"`{found[1]}`" if found else ""))
    return _table(("effect", "what the shell does", "answered by"), rows)


def _inputs() -> str:
    rows = [(f"`{kind.__name__}`", _first(kind.__doc__)) for kind in get_args(inputs.Input)]
    return _table(("input", "what happened"), rows)


def _timers() -> str:
    """The members of `Timer`, with the line of text under each."""
    (declared,) = ast.parse(inspect.getsource(timers.Timer)).body
    assert isinstance(declared, ast.ClassDef)
    rows: list[tuple[str, ...]] = []
    for member, text in zip(declared.body, declared.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr):
            assert isinstance(text.value, ast.Constant)
            rows.append((f"`{ast.unparse(member.targets[0])}`", str(text.value.value)))
    return _table(("timer", "fires"), rows)


def _files() -> str:
    """Every module of the library with the first sentence of its docstring, to be read in order."""
    parts: list[str] = []
    for folder in _PACKAGES:
        name = folder.name if folder.name.startswith("roomkit") else f"roomkit.{folder.name}"
        found = {path.stem: path for path in sorted(folder.glob("*.py")) if path.stem[0] != "_"}
        wanted = [module for module in _READING_ORDER.get(name, ()) if module in found]
        order = [*wanted, *(module for module in found if module not in wanted)]
        rows = [
            (f"`{module}`", _first(ast.get_docstring(ast.parse(found[module].read_bytes()))))
            for module in order
        ]
        parts.append(f"### `{name}`\n\n{_table(('file', 'what lives there'), rows)}")
    return "\n\n".join(parts)


def _kinds() -> str:
    """By which word `roomkit explain` knows an event."""
    rows = [
        (f"`{words.kind(kind)}`", f"`{kind.__name__}`", _first(kind.__doc__))
        for kind in cast("tuple[type, ...]", get_args(events.Event))
    ]
    return _table(("kind", "event", "what it tells"), rows)


def _frames(union: str) -> str:
    """One row per frame: its type, what its data holds (`?`: may be left out), what it says."""
    definitions = cast("dict[str, dict[str, object]]", schema_document()["$defs"])
    rows: list[tuple[str, ...]] = []
    for choice in cast("list[dict[str, str]]", definitions[union]["oneOf"]):
        frame = _resolved(choice, definitions)
        properties = cast("dict[str, dict[str, object]]", frame["properties"])
        data = _resolved(cast("dict[str, str]", properties["data"]), definitions)
        required = cast("list[str]", data.get("required", []))
        fields = [
            name if name in required else f"{name}?"
            for name in cast("dict[str, object]", data.get("properties", {}))
        ]
        fields.sort(key=lambda name: name.endswith("?"))
        kind = cast("list[str]", properties["type"]["enum"])[0]
        rows.append((f"`{kind}`", ", ".join(fields), cast("str", frame["description"])))
    return _table(("type", "data", "meaning"), rows)


def _resolved(
    schema: dict[str, str], definitions: dict[str, dict[str, object]]
) -> dict[str, object]:
    reference = schema.get("$ref") or cast("list[dict[str, str]]", schema["anyOf"])[0]["$ref"]
    return definitions[reference.rsplit("/", 1)[1]]


def _first(docstring: str | None) -> str:
    """Return the first sentence of a docstring, on one line."""
    text = " ".join((docstring or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0].removesuffix(".")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines
    )


def _same(what: str, coded: Iterable[str], told: Iterable[str]) -> None:
    differing = sorted(set(coded) ^ set(told))
    if differing:
        raise ValueError(
            f"docs/drawing/meanings.py and the code differ on {what}: {', '.join(differing)}; say "
            "what the new ones mean, and remove the old ones"
        )


TABLES: dict[str, Callable[[], str]] = {
    "limits": cache(_limits),
    "variables": cache(_variables),
    "sources": cache(_sources),
    "error-codes": cache(_error_codes),
    "close-codes": cache(_close_codes),
    "dependencies": cache(_dependencies),
    "commands": cache(_commands),
    "effects": cache(_effects),
    "inputs": cache(_inputs),
    "timers": cache(_timers),
    "files": cache(_files),
    "kinds": cache(_kinds),
    "frames-of-clients-1": cache(lambda: _frames("Protocol1ClientFrame")),
    "frames-of-servers-1": cache(lambda: _frames("Protocol1ServerFrame")),
    "frames-of-clients-2": cache(lambda: _frames("Protocol2ClientFrame")),
    "frames-of-servers-2": cache(lambda: _frames("Protocol2ServerFrame")),
}
"""What a page may ask for."""
