"""What several nodes on one server were measured to take and bring, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from benchmarks.report.results import Figures, Results
from benchmarks.report.tables import table, whole

__all__ = ["nodes"]

_OURS, _SOCKETIO, _CHANNELS = "roomkit, websockets", "python-socketio", "Django Channels"
P99_LIMIT, COPIES_LIMIT, APPEND_LIMIT = 1.0, 20.0, 0.6
"""What roomkit aims at: p99 by that of python-socketio, copies by those of Channels, appends by
those of bare scripts."""


def nodes(results: Results) -> str | None:
    """Return the tables; None if none of it was measured."""
    cluster = cast("Mapping[str, Figures] | None", results.all.get("cluster"))
    appending = cast("Mapping[str, Figures] | None", results.all.get("appending"))
    if cluster is None or appending is None:
        return None
    parts = [
        f"Measured on {results.date('cluster')}.",
        _contenders(cluster),
        _aims(cluster, appending),
        _appends(appending),
    ]
    return "\n\n".join(parts)


def _contenders(cluster: Mapping[str, Figures]) -> str:
    heads = ("two nodes", "p50 ms", "p99 ms", "copies/s", "lost", "lost when full")
    rows = [
        [
            name,
            f"{found['p50_ms']:.1f}",
            f"{found['p99_ms']:.1f}",
            whole(found["copies_per_s"]),
            whole(found["lost"]),
            whole(found["lost_when_full"]),
        ]
        for name, found in cluster.items()
    ]
    return table(heads, rows)


def _aims(cluster: Mapping[str, Figures], appending: Mapping[str, Figures]) -> str:
    ours = cluster[_OURS]
    rows: list[tuple[str, float, str, bool]] = []
    if other := cluster.get(_SOCKETIO):
        ratio = ours["p99_ms"] / other["p99_ms"]
        rows.append(
            ("p99 by that of python-socketio", ratio, f"≤ {P99_LIMIT:g}", ratio <= P99_LIMIT)
        )
    if other := cluster.get(_CHANNELS):
        ratio = ours["copies_per_s"] / other["copies_per_s"]
        rows.append(
            ("copies by those of Channels", ratio, f"≥ {COPIES_LIMIT:g}", ratio >= COPIES_LIMIT)
        )
    for name, found in appending.items():
        if "ratio" in found:
            ratio = found["ratio"]
            what = f"appends by bare scripts, {name}"
            rows.append((what, ratio, f"≥ {APPEND_LIMIT:g}", ratio >= APPEND_LIMIT))
    shown = [
        [what, f"{ratio:.2f}", aim, "yes" if met else "**no**"] for what, ratio, aim, met in rows
    ]
    return table(("aim", "found", "aimed at", "met"), shown)


def _appends(appending: Mapping[str, Figures]) -> str:
    rows = [
        [name, whole(found["append_per_s"]), whole(found["bare_per_s"]) if "ratio" in found else ""]
        for name, found in appending.items()
    ]
    return table(("appends", "a second", "bare scripts a second"), rows)
