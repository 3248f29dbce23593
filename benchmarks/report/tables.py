"""The figures as tables in Markdown, which can be read in a terminal too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from benchmarks.contenders import BARE, RAW
from benchmarks.report.results import Figure, Results
from benchmarks.report.targets import Verdict, judge
from benchmarks.suite import BUSY

__all__ = ["conditions", "table", "targets", "whole", "workload"]

Show = Callable[[float], str]


def whole(value: float) -> str:
    """Show it without a fraction, in groups of three digits."""
    return f"{value:,.0f}".replace(",", " ")


def _one(value: float) -> str:
    return f"{value:.1f}" if value < 100 else whole(value)


def _two(value: float) -> str:
    return f"{value:.2f}" if value < 100 else whole(value)


_TIMES: dict[str, tuple[str, Show]] = {
    "p50_ms": ("p50 ms", _one),
    "p99_ms": ("p99 ms", _one),
    "p999_ms": ("p99.9 ms", _one),
}
_COPIES: dict[str, tuple[str, Show]] = {
    "copies_per_s": ("copies/s", whole),
    "user_us": ("user µs", _two),
    "system_us": ("system µs", _two),
    "cpu_us": ("µs a copy", _two),
    **_TIMES,
    "memory_mib": ("MiB", whole),
    "lost": ("lost", whole),
}
_JOINS: dict[str, tuple[str, Show]] = {
    "joins_per_s": ("joins/s", whole),
    "user_us": ("user µs", whole),
    "system_us": ("system µs", whole),
    "cpu_us": ("µs a join", whole),
    "p50_ms": ("p50 ms", _one),
    "p99_ms": ("p99 ms", _one),
    "memory_kib": ("KiB each", _one),
}
_COLUMNS: dict[str, dict[str, tuple[str, Show]]] = {
    **dict.fromkeys(("W1", "W2", "W3", "W9"), _COPIES),
    **dict.fromkeys(("W4", "W5"), _JOINS),
    "W6": {
        "events": ("events", whole),
        "user_us": ("user µs", whole),
        "system_us": ("system µs", whole),
        "cpu_us": ("µs an event", whole),
        **_TIMES,
        "memory_mib": ("MiB", whole),
        "lost": ("lost", whole),
    },
    "W7": {
        "calm_p99_ms": ("p99 ms without", _one),
        "stalled_p99_ms": ("p99 ms with", _one),
        "p99_ratio": ("ratio", _two),
        "lost": ("lost", whole),
    },
    "W8": {
        "page_per_s": ("pages/s", whole),
        "page_cpu_us": ("µs a page", whole),
        "page_p99_ms": ("p99 ms", _one),
        "resume_per_s": ("resumes/s", whole),
        "resume_cpu_us": ("µs a resume", whole),
        "resume_p99_ms": ("p99 ms ", _one),
    },
}


def targets(results: Results) -> str:
    """Return every target, what was found, and whether it is met."""
    rows = [
        (
            verdict.target.workload,
            verdict.target.words,
            _limit(verdict),
            "not\N{NO-BREAK SPACE}measured" if verdict.value is None else _two(verdict.value),
            {None: "", True: "yes", False: "no"}[verdict.met],
            "" if verdict.by_processor is None else _two(verdict.by_processor),
        )
        for verdict in judge(results)
    ]
    return table(("", "target", "aim", "found", "met", "by processor time"), rows, words=2)


def workload(results: Results, name: str) -> str:
    """Return the medians of a workload, the ratios, and who is missing."""
    found = results.contenders(name)
    columns = _COLUMNS.get(name) or _scaling(found)
    ratios = _ratios(results, name)
    heads = ["", *(head for head, _ in columns.values()), *ratios]
    rows: list[Sequence[str]] = []
    for contender, figures in found.items():
        slow = figures["load_share"] > BUSY
        row = [contender + (" (load busy)" if slow else "")]
        row += [show(figures[figure]) for figure, (_, show) in columns.items()]
        for ratio in ratios.values():
            value = ratio(contender)
            row.append("" if value is None else _two(value))
        rows.append(row)
    parts = [table(heads, rows)]
    parts += [
        f"* {contender} is not here: {why}" for contender, why in results.missing(name).items()
    ]
    return "\n\n".join([parts[0], "\n".join(parts[1:])]).rstrip()


def conditions(results: Results) -> str:
    """Return the machine, the versions, the date and how much was run, in sentences."""
    machine = cast("Mapping[str, object]", results.all["machine"])
    versions = cast("Mapping[str, str]", machine["versions"])
    sizes = cast("Mapping[str, float]", results.all["sizes"])
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    large, rooms, each = map(whole, (sizes["members"], sizes["rooms"], sizes["room_members"]))
    come, stay, rate = map(whole, (sizes["arriving"], sizes["idle"], sizes["messages_per_s"]))
    return (
        f"Measured {results.all['date']} on {machine['processor']}, {machine['system']}, Python "
        f"{machine['python']}: medians of {sizes['turns']} turns of {sizes['seconds']:g} s. The "
        f"large room has {large} members; there are {rooms} rooms of {each}, {come} clients that "
        f"come, {stay} that stay, and {rate} messages a second in the open loop.\n\n"
        f"Versions: {listed}."
    )


def _ratios(results: Results, name: str) -> dict[str, Callable[[str], float | None]]:
    """Columns that compare: with the kernel's price, and with roomkit."""
    ratios: dict[str, Callable[[str], float | None]] = {}
    found = results.contenders(name)
    if BARE in found:
        price = Figure(BARE, "system_us")
        ratios["× kernel"] = lambda who: results.ratio(name, Figure(who, "cpu_us"), price)
    if RAW in found and "cpu_us" in found[RAW]:
        ours = Figure(RAW, "cpu_us")
        ratios["× roomkit"] = lambda who: results.ratio(name, Figure(who, "cpu_us"), ours)
    return ratios


def _scaling(found: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[str, Show]]:
    """Columns of a message's cost at each size that was measured."""
    columns: dict[str, tuple[str, Show]] = {}
    for figures in found.values():
        for figure in figures:
            name, _, size = figure.rpartition("_")
            if name == "cpu_us":
                columns[figure] = (f"µs a message at {whole(float(size))}", _one)
    return columns


def _limit(verdict: Verdict) -> str:
    sign = "≥" if verdict.target.at_least else "≤"
    return f"{sign}\N{NO-BREAK SPACE}{verdict.target.limit:g}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """Return a table whose first columns, so many, are words and the others figures."""
    lines = [heads, ["---"] * words + ["---:"] * (len(heads) - words), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
