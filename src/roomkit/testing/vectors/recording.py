"""Recording: every scenario is run, and what happened is written down as its vector."""

from __future__ import annotations

import json
import re
from pathlib import Path

from roomkit.testing.vectors import odd_frames, returning, rooms, sending
from roomkit.testing.vectors.scenario import Scenario
from roomkit.testing.vectors.stage import Stage

__all__ = ["documents", "write"]

_LINK = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")


def documents() -> dict[str, str]:
    """Return the text of each vector, by file name."""
    found = [
        value
        for module in (odd_frames, returning, rooms, sending)
        for value in vars(module).values()
        if isinstance(value, Scenario)
    ]
    return {f"{one.name}.json": _recorded(one) for one in sorted(found, key=lambda one: one.name)}


def write(folder: Path) -> None:
    """Write the vectors into `folder`, which is made if need be; others there are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = documents()
    for path in folder.glob("*.json"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


def _recorded(one: Scenario) -> str:
    stage = Stage(one.options, one.limits, one.policy, one.guests)
    one.tell(stage)
    stage.show()
    head = {"name": one.name, "about": one.about, "client": one.options}
    lines = [f"  {json.dumps(step, ensure_ascii=False)}" for step in stage.steps]
    fields = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    body = ",\n".join(lines)
    return _with_plain_links("{\n" + ",\n".join([*fields, f' "steps": [\n{body}\n ]']) + "\n}\n")


def _with_plain_links(text: str) -> str:
    """Number the links in the order they appear: a log's first link is random."""
    links: dict[str, str] = {}
    return _LINK.sub(lambda found: links.setdefault(found[0], f"{len(links) + 1:016x}"), text)
