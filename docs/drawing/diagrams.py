"""The diagrams of the documentation: where things stand, and what they are drawn from.

Positions are chosen here. What is shown comes from the code: states and arrows from running the
engine (`lives`, `room_life`), effects from their union, floors from the contracts that
`scripts/check` holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from html import escape
from pathlib import Path
from typing import get_args

from exploring import Life
from lives import connection_life, session_life
from room_life import room_life
from svg import Arrow, Box, box, draw, surface

from roomkit.core.effects import Answer, Effect, StoreEffect

__all__ = ["DIAGRAMS"]

_Edge = tuple[str, str]

_PROJECT = Path(__file__).resolve().parents[2]

_FLOW_BOXES = {
    "client": Box(52, 150, ("a client",), 96),
    "decoder": Box(170, 50, ("wire", "frames to commands"), 150),
    "engine": Box(376, 150, ("core", "Engine.step(input, now)"), 180),
    "encoder": Box(170, 250, ("wire, outbox", "events to frames"), 150),
    "store": Box(664, 150, ("a store",), 96),
    "host": Box(450, 330, ("your application",), 150),
}
_FLOW_ARROWS = {
    ("client", "decoder"): Arrow(shift=(-10, -2), anchor="end"),
    ("decoder", "engine"): Arrow(shift=(14, -8), anchor="start"),
    ("engine", "encoder"): Arrow(at=0.75, shift=(8, 26), anchor="start"),
    ("encoder", "client"): Arrow(shift=(-10, 4), anchor="end"),
    ("engine", "store"): Arrow(20, shift=(4, -40)),
    ("store", "engine"): Arrow(20, shift=(0, 16)),
    ("host", "engine"): Arrow(12, at=0.3, shift=(-6, 0), anchor="end"),
    ("engine", "host"): Arrow(12, at=0.7, shift=(6, 0), anchor="start"),
}

_CONNECTION_BOXES = {
    "start": Box(14, 60, (), kind="point"),
    "accepted": Box(160, 60, ("accepted", "nothing known yet"), 134),
    "open": Box(400, 60, ("open", "a user in a session"), 140),
    "asked": Box(640, 60, ("asked", "a ping is out"), 130),
    "closing": Box(400, 260, ("closing", "a close is out"), 130),
    "end": Box(640, 260, (), kind="point"),
}
_CONNECTION_ARROWS = {
    ("start", "accepted"): Arrow(shift=(0, -12)),
    ("start", "closing"): Arrow(-24, at=0.45, shift=(0, 6)),
    ("accepted", "open"): Arrow(shift=(0, -12)),
    ("accepted", "closing"): Arrow(),
    ("open", "asked"): Arrow(12, shift=(0, -12)),
    ("asked", "open"): Arrow(12, shift=(0, 14)),
    ("open", "closing"): Arrow(),
    ("asked", "closing"): Arrow(at=0.4, shift=(26, 0)),
    ("closing", "end"): Arrow(shift=(0, -12)),
}
_CONNECTION_ENDS = {("accepted", "end"), ("open", "end"), ("asked", "end")}

_SESSION_BOXES = {
    "none": Box(66, 60, ("none", "in no room"), 110),
    "connected": Box(320, 60, ("connected", "heard through one tab"), 156),
    "in grace": Box(646, 60, ("in grace", "still in its rooms"), 134),
}
_SESSION_ARROWS = {
    ("none", "connected"): Arrow(12, shift=(0, -12)),
    ("connected", "none"): Arrow(12, shift=(24, 14)),
    ("connected", "in grace"): Arrow(12, shift=(0, -20)),
    ("in grace", "connected"): Arrow(12, shift=(0, 14)),
    ("in grace", "none"): Arrow(80, shift=(0, 2)),
}

_ROOM_BOXES = {
    "loading": Box(90, 110, ("loading", "the store is asked"), 140),
    "ready": Box(362, 110, ("ready", "folded, nothing waits"), 150),
    "storing": Box(634, 110, ("storing", "one append is out"), 140),
    "not served": Box(90, 330, ("not served", "this node forgot it"), 140),
    "pausing": Box(362, 330, ("pausing", "before trying again"), 140),
    "reading on": Box(634, 330, ("reading on", "what others stored"), 140),
}
_ROOM_ARROWS = {
    ("not served", "loading"): Arrow(shift=(-6, 0), anchor="end"),
    ("loading", "ready"): Arrow(12, shift=(0, -12)),
    ("ready", "loading"): Arrow(12, shift=(0, 14)),
    ("loading", "storing"): Arrow(56, shift=(0, -2)),
    ("loading", "pausing"): Arrow(12, at=0.6, shift=(8, -10), anchor="start"),
    ("pausing", "loading"): Arrow(12, at=0.2, shift=(-8, 2), anchor="end"),
    ("ready", "storing"): Arrow(12, shift=(0, -12)),
    ("storing", "ready"): Arrow(12, shift=(0, 14)),
    ("ready", "not served"): Arrow(at=0.25, shift=(0, 0)),
    ("storing", "pausing"): Arrow(12, at=0.7, shift=(8, 4), anchor="start"),
    ("pausing", "storing"): Arrow(12, at=0.4, shift=(-6, -6), anchor="end"),
    ("storing", "reading on"): Arrow(10, shift=(5, 0), anchor="start"),
    ("reading on", "storing"): Arrow(10, at=0.7, shift=(-5, 0), anchor="end"),
    ("reading on", "ready"): Arrow(at=0.75, shift=(0, 0)),
    ("reading on", "pausing"): Arrow(12, shift=(0, 14)),
    ("pausing", "reading on"): Arrow(12, shift=(0, -12)),
}
_ROOM_ASIDE = {
    *((state, "not served") for state in ("loading", "pausing", "reading on")),
    *((state, "loading") for state in ("storing", "reading on")),
}


def _flow() -> str:
    to_outbox = [kind for kind in get_args(Effect) if kind not in (Answer, *get_args(StoreEffect))]
    labels = {
        ("client", "decoder"): ["bytes"],
        ("decoder", "engine"): ["a Command", "in an Input"],
        ("engine", "encoder"): _names(to_outbox, 2),
        ("encoder", "client"): ["bytes"],
        ("engine", "store"): _names(get_args(StoreEffect), 4),
        ("store", "engine"): ["an answering Input each"],
        ("host", "engine"): ["Asked"],
        ("engine", "host"): [Answer.__name__],
    }
    return _figure(
        "Inputs go into the engine, effects come out of it, and the hub performs them.",
        draw(
            "how data flows through roomkit: clients, the wire, the engine, a store and the host",
            (720, 365),
            _FLOW_BOXES,
            _FLOW_ARROWS,
            labels,
        ),
    )


def _connection() -> str:
    return _life(
        "the life of a connection",
        "A connection, as the engine sees it. Numbers are close codes. Not drawn: the peer may be "
        "gone (Closed) at any moment.",
        (720, 300),
        (_CONNECTION_BOXES, _CONNECTION_ARROWS, _CONNECTION_ENDS),
        connection_life(),
    )


def _session() -> str:
    return _life(
        "the life of a session",
        "A session: one tab, through any number of connections.",
        (720, 165),
        (_SESSION_BOXES, _SESSION_ARROWS, set()),
        session_life(),
    )


def _room() -> str:
    return _life(
        "the life of a room's queue",
        "A room on one node. Commands wait in its queue, and are judged on the way to ready and "
        "storing. Not drawn: in any state a room nobody uses may be forgotten, and one whose log "
        "forked is loaded again.",
        (720, 375),
        (_ROOM_BOXES, _ROOM_ARROWS, _ROOM_ASIDE),
        room_life(),
    )


def _floors() -> str:
    """Draw the packages of each floor, the highest first."""
    project = tomllib.loads((_PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    inside, adapters, *_ = project["tool"]["importlinter"]["contracts"]
    layers: list[str] = [*adapters["layers"][:-1], *inside["layers"]]
    parts: list[str] = []
    floors = [row for row in map(_packages, layers) if row]
    for floor, row in enumerate(floors):
        width = (700 - 12 * (len(row) - 1)) / len(row)
        for place, name in enumerate(row):
            x = 10 + width / 2 + place * (width + 12)
            parts.append(box(Box(x, 30 + floor * 50, (name,), width, 40)))
    svg = surface("the floors of roomkit", (720, 10 + 50 * len(floors)), parts)
    apart = [" and ".join(_packages(layer)) for layer in layers if "|" in layer]
    return _figure(f"Imports point down only. Nor do {', '.join(apart)} import each other.", svg)


def _packages(layer: str) -> list[str]:
    """Return the packages of one layer that are built; planned ones stand in parentheses."""
    names = [name.strip() for name in layer.replace("|", ":").split(":")]
    built = [name for name in names if not name.startswith("(")]
    return [name if name.startswith("roomkit") else f"roomkit.{name}" for name in built]


def _names(kinds: Iterable[type], in_a_line: int) -> list[str]:
    names = [kind.__name__ for kind in kinds]
    lines = [names[start : start + in_a_line] for start in range(0, len(names), in_a_line)]
    return [", ".join(line) + ("," if line is not lines[-1] else "") for line in lines]


def _life(
    name: str,
    caption: str,
    size: tuple[int, int],
    layout: tuple[Mapping[str, Box], Mapping[_Edge, Arrow], AbstractSet[_Edge]],
    life: Life,
) -> str:
    """Draw a life; of `layout`, the last are transitions left to its table."""
    boxes, arrows, undrawn = layout
    drawn = {edge: labels for edge, labels in life.items() if edge not in undrawn}
    drawing = draw(name, size, boxes, arrows, drawn)
    return _figure(caption, drawing) + "\n" + _transitions(name, life)


def _transitions(name: str, life: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """Say the same in a table, for those who cannot see the drawing or want to search it."""
    rows = "\n".join(
        f"    | {source} | {' · '.join(labels)} | {target} |"
        for (source, target), labels in life.items()
    )
    return (
        f'\n??? note "{name[0].upper()}{name[1:]}, as a table"\n\n'
        f"    | in | what happens | then |\n    |---|---|---|\n{rows}\n"
    )


def _figure(caption: str, svg: str) -> str:
    return (
        f'<figure class="drawing"><div tabindex="0">{svg}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>\n"
    )


DIAGRAMS: dict[str, Callable[[], str]] = {
    "flow": cache(_flow),
    "floors": cache(_floors),
    "connection": cache(_connection),
    "session": cache(_session),
    "room": cache(_room),
}
"""What a page may ask for."""
