"""The tables of the page on scale, from what a run found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.scale.model import Costs, Shape, demand
from roomkit import Limits

__all__ = ["FOLDER", "LARGE", "write"]

FOLDER = Path(__file__).resolve().parents[2] / "docs/assets/scale"
LARGE = {
    "a town": Shape(10_000, 1_000, 4, rooms_per_user=2),
    "a country": Shape(100_000, 10_000, 10, rooms_per_user=2),
    "the world": Shape(1_000_000, 100_000, 50, rooms_per_user=2),
    "the world, in few large rooms": Shape(1_000_000, 1_000, 50, rooms_per_user=2),
}
BUSY = 0.5
"""How busy a server may be: the rest is for bursts, for failovers, and for what others do."""


def write(found: Mapping[str, Any], folder: Path | None = None) -> str:
    """Return the tables as text, and write them into a folder if one is given."""
    costs = msgspec.convert(found["costs"], Costs)
    parts = {
        "costs": _costs(costs),
        "checks": _checks(found["checks"]),
        "large": _large(costs),
        "world": _operations(costs),
    }
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "figures.json").write_text(json.dumps(found, indent=1) + "\n")
        for name, table in parts.items():
            (folder / f"{name}.md").write_text(table + "\n")
    return "\n\n".join(parts.values())


_OPERATIONS = {
    "append": "an append of one message",
    "copy": "each node that hears it",
    "signal": "a signal (typing, a count)",
    "tip": "a room's tip, asked for with many",
    "load": "a room loaded by a node that had not got it",
    "save": "a snapshot, with the 256 messages since the last",
    "lease": "a node's lease renewed",
    "lapsed": "another node's lease looked at",
    "look": "a node's look at a server, every 2 s",
}


def _costs(costs: Costs) -> str:
    times = [[name, f"{getattr(costs, key):,.1f} µs"] for key, name in _OPERATIONS.items()]
    kept = [
        ["memory of a room with one entry", f"{costs.room_bytes:,.0f} bytes"],
        ["memory of one more entry of its log", f"{costs.entry_bytes:,.0f} bytes"],
        ["memory of an archived message", f"{costs.message_bytes:,.0f} bytes"],
        ["memory of a room that a node listens to", f"{costs.subscription_bytes:,.0f} bytes"],
        ["sent to each node that hears a message", f"{costs.hint_bytes:,.0f} bytes"],
    ]
    return _table(["of the server", "takes"], times + kept)


def _checks(checks: Sequence[Mapping[str, Any]]) -> str:
    rows: list[list[str]] = []
    for check in checks:
        shape = msgspec.convert(check["shape"], Shape)
        appends, processors = check["appends_per_s"], check["processors"]
        rows.append(
            [
                f"{shape.users:,} users, {shape.rooms:,} rooms, {shape.nodes} nodes",
                f"{appends['model']:,.0f}",
                f"{appends['measured']:,.0f}",
                f"{processors['model']:.3f}",
                f"{processors['measured']:.3f}",
                f"{check['measured_over_model']:.2f}",
            ]
        )
    head = [
        "deployment", "appends/s, model", "measured", "processor, model", "measured", "ratio",
    ]  # fmt: skip
    return _table(head, rows)


def _large(costs: Costs) -> str:
    rows: list[list[str]] = []
    for name, shape in LARGE.items():
        asked = demand(shape, costs, Limits())
        shards = max(1, -(-round(asked.processors * 1_000) // round(BUSY * 1_000)))
        asked = demand(shape, costs, Limits(), shards)
        rows.append(
            [
                name,
                f"{shape.users:,}",
                f"{shape.rooms:,}",
                f"{shape.nodes}",
                f"{asked.per_s['append']:,.0f}",
                f"{asked.per_s['copy']:,.0f}",
                f"{asked.processors:.2f}",
                f"{shards}",
                f"{sum(asked.memory_mib.values()) / 1024:,.1f} GiB",
                f"{asked.out_mib_s:,.1f} MiB/s",
            ]
        )
    head = [
        "", "users", "rooms", "nodes", "appends/s", "hints/s", "processors", "servers", "memory",
        "sent",
    ]  # fmt: skip
    return _table(head, rows)


def _operations(costs: Costs) -> str:
    shape = LARGE["the world"]
    asked = demand(shape, costs, Limits())
    rows = [
        [_OPERATIONS[name], f"{asked.per_s[name]:,.0f}", f"{asked.processor[name]:.3f}"]
        for name in sorted(asked.processor, key=lambda name: -asked.processor[name])
    ]
    return _table(["operation", "a second", "processors"], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
