"""The files the performance page is made of, from the JSON of a run.

`scripts/bench --page` writes them; `python -m benchmarks.report.page FILE` writes them anew from a
JSON file, without measuring.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.report.nodes import nodes
from benchmarks.report.plots import dots, lines
from benchmarks.report.results import Results
from benchmarks.report.tables import conditions, targets, workload
from benchmarks.suite import WORKLOADS

__all__ = ["FOLDER", "told", "write"]

FOLDER = Path(__file__).resolve().parents[2] / "docs/assets/performance"

_DOTS = {
    "W1": ("cpu_us", "microseconds of processor time a copy, one message in flight"),
    "W2": ("copies_per_s", "copies a second, sixteen messages in flight"),
    "W3": ("copies_per_s", "copies a second, many rooms"),
    "W9": ("p99_ms", "p99 in milliseconds, messages at a fixed rate"),
}
_NOT_MEASURED = "Not measured in this run.\n"
_LINES = {"rooms": "rooms", "members": "members of the room"}


def write(results: Results, folder: Path = FOLDER) -> None:
    """Write the figures, the tables and the plots into a folder.

    A run of no workload adds what it measured to what is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "figures.json"
    if not results.workloads and kept.exists():
        results = Results(json.loads(kept.read_text())).with_parts_of(results)
    (folder / "nodes.md").write_text((nodes(results) or _NOT_MEASURED.strip()) + "\n")
    kept.write_text(json.dumps(results.all, indent=1) + "\n")
    (folder / "conditions.md").write_text(conditions(results) + "\n")
    (folder / "targets.md").write_text(targets(results) + "\n")
    for name in results.workloads:
        (folder / f"{name}.md").write_text(workload(results, name) + "\n")
    for name, plot in _plots(results).items():
        (folder / f"{name}.svg").write_text(plot)
    for name in WORKLOADS.keys() - results.workloads:
        (folder / f"{name}.md").write_text(_NOT_MEASURED)
        if name in {*_DOTS, *_LINES}:
            (folder / f"{name}.svg").write_text("<p></p>\n")


def told(results: Results) -> str:
    """Return the tables and the targets as text for a terminal."""
    parts = [conditions(results)]
    parts += [
        f"{name}: {results.title(name)}\n\n{workload(results, name)}" for name in results.workloads
    ]
    return "\n\n".join([*parts, targets(results)])


def _plots(results: Results) -> Mapping[str, str]:
    plots: dict[str, str] = {}
    for name, (figure, axis) in _DOTS.items():
        if name in results.workloads:
            found = results.contenders(name)
            values = {contender: figures[figure] for contender, figures in found.items()}
            plots[name] = dots(f"{results.title(name)}: {axis}", axis, values)
    for name, across in _LINES.items():
        if name in results.workloads:
            series = {
                contender: [
                    (float(figure.rpartition("_")[2]), value)
                    for figure, value in figures.items()
                    if figure.startswith("cpu_us_")
                ]
                for contender, figures in results.contenders(name).items()
            }
            up = "microseconds of processor time a message"
            plots[name] = lines(f"{up}, by {across}", across, up, series)
    return plots


if __name__ == "__main__":
    write(Results(json.loads(Path(sys.argv[1]).read_text())))
