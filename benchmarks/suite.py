"""Runs the workloads: all contenders in turns, so that what else the machine does meets all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.contenders import BARE, BARE_TICK, CONTENDERS, Contender
from benchmarks.load_generator.crowd import LoadError
from benchmarks.processes import say
from benchmarks.sizes import Sizes
from benchmarks.workloads import fan_out

__all__ = ["BUSY", "WORKLOADS", "Workload", "run_workload"]

BUSY = 0.9
"""Share of its processor from which the load may have been the bottleneck."""

_ROOMKIT = ("roomkit, websockets", "roomkit, uvicorn")
_LOOPS = ("websockets loop", "Starlette loop")
_PEERS: tuple[str, ...] = ()
_QUICK = ("roomkit, websockets", "roomkit, uvicorn", "websockets loop", BARE, BARE_TICK)

Figures = dict[str, float]


class Workload(NamedTuple):
    """One question, and whom it is asked.

    Attributes:
        told: what is told while it runs: names of figures, with their formats.
    """

    title: str
    measure: Callable[[Contender, Sizes], Figures]
    contenders: Sequence[str]
    told: str


_FAN_OUT = (BARE, *_ROOMKIT, "roomkit, ZestAPI", "roomkit, websockets, SQLite", *_LOOPS, *_PEERS)
_COPIES = (
    "{copies_per_s:,.0f} copies/s, {user_us:.2f} + {system_us:.2f} us each, "
    "p50 {p50_ms:.1f} p99 {p99_ms:.1f} p99.9 {p999_ms:.1f} ms, lost {lost:.0f}"
)
WORKLOADS = {
    "W1": Workload(
        "one room, one message in flight",
        fan_out.one_in_flight,
        _FAN_OUT,
        _COPIES,
    ),
    "W2": Workload("one room, sixteen in flight", fan_out.burst, (BARE_TICK, *_FAN_OUT), _COPIES),
    "W3": Workload("many rooms, four in flight in each", fan_out.many_rooms, _FAN_OUT, _COPIES),
    "W9": Workload(
        "one room, messages at a fixed rate", fan_out.open_loop, (BARE_TICK, *_FAN_OUT), _COPIES
    ),
}


def run_workload(name: str, sizes: Sizes, quick: bool) -> dict[str, object]:
    """Return the runs and medians of each contender that is there, and why the others are not.

    Args:
        quick: ask fewer contenders.
    """
    workload = WORKLOADS[name]
    asked = [each for each in workload.contenders if not quick or each in _QUICK]
    absent = {each: why for each in asked if (why := CONTENDERS[each].absent())}
    runs: dict[str, list[Figures]] = {each: [] for each in asked if each not in absent}
    failed: dict[str, str] = {}
    for turn in range(sizes.turns):
        for each in runs:
            if each in failed:
                continue
            begun = time.perf_counter()
            try:
                run = workload.measure(CONTENDERS[each], sizes)
            except (LoadError, OSError) as error:
                failed[each] = str(error)
                say(f"{name} {turn + 1}/{sizes.turns} {each}: FAILED: {error}")
                continue
            runs[each].append(run)
            busy = "" if run["load_share"] <= BUSY else "; the load was the bottleneck"
            took = time.perf_counter() - begun
            say(
                f"{name} {turn + 1}/{sizes.turns} {each}: "
                f"{workload.told.format(**run)}{busy} ({took:.0f} s)"
            )
    return {
        "title": workload.title,
        "absent": absent,
        "failed": failed,
        "contenders": {
            each: {"median": median(found), "runs": found} for each, found in runs.items() if found
        },
    }


def median(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}
