"""Runs the workloads: all contenders in turns, so that what else the machine does meets all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.contenders import BARE, BARE_TICK, CONTENDERS, RAW, UVICORN, Contender
from benchmarks.load_generator.crowd import LoadError
from benchmarks.processes import say
from benchmarks.sizes import Sizes
from benchmarks.workloads import arrivals, day, fan_out, pages, scaling, stalled

__all__ = ["BUSY", "WORKLOADS", "Workload", "run_workload"]

BUSY = 0.9
"""Share of its processor from which the load may have been the bottleneck."""

_LOOPS = ("websockets loop", "Starlette loop")
_PEERS = (
    "python-socketio", "Django Channels", "ws on Node", "Socket.IO on Node", "mosquitto", "NATS",
)  # fmt: skip

Figures = dict[str, float]


class Workload(NamedTuple):
    """One question, and whom it is asked.

    Attributes:
        told: what is told while it runs: names of figures, with their formats; `{}` is all.
        quick: whom it is asked when everything is small; between them they are of every kind.
        most_turns: of all contenders; what memory takes need not be repeated.
    """

    title: str
    measure: Callable[[Contender, Sizes], Figures]
    contenders: Sequence[str]
    told: str
    quick: Sequence[str] = (RAW,)
    most_turns: int = 1_000


_ADAPTERS = (RAW, UVICORN, "roomkit, ZestAPI")
_STORES = ("roomkit, websockets, SQLite", "roomkit, uvicorn, SQLite")
_FAN_OUT = (BARE, *_ADAPTERS, _STORES[0], "roomkit, recorded", *_LOOPS, *_PEERS)
_PRICE = "{user_us:.2f} + {system_us:.2f} us each, p50 {p50_ms:.1f} p99 {p99_ms:.1f} "
_COPIES = "{copies_per_s:,.0f} copies/s, " + _PRICE + "p99.9 {p999_ms:.1f} ms, lost {lost:.0f}"
_JOINS = "{joins_per_s:,.0f} joins/s, " + _PRICE + "ms, {memory_kib:.1f} KiB each"

WORKLOADS = {
    "W1": Workload(
        "one room, one message in flight",
        fan_out.one_in_flight,
        _FAN_OUT,
        _COPIES,
        quick=(BARE, RAW, UVICORN, "websockets loop"),
    ),
    "W2": Workload(
        "one room, sixteen in flight",
        fan_out.burst,
        (BARE_TICK, *_FAN_OUT),
        _COPIES,
        quick=(BARE_TICK, RAW),
    ),
    "W3": Workload(
        "many rooms, four in flight in each",
        fan_out.many_rooms,
        _FAN_OUT,
        _COPIES,
        quick=(RAW, "Starlette loop"),
    ),
    "W4": Workload(
        "clients come and join",
        arrivals.arrive,
        (*_ADAPTERS, *_LOOPS, *_PEERS),
        _JOINS,
        quick=(RAW, "websockets loop"),
    ),
    "W5": Workload("idle connections", arrivals.stay, (*_ADAPTERS, *_LOOPS), _JOINS, most_turns=1),
    "W6": Workload(
        "a chat day",
        day.chat_day,
        (*_ADAPTERS, *_STORES),
        "{events:.0f} events, " + _PRICE + "p99.9 {p999_ms:.1f} ms, lost {lost:.0f}",
        quick=("roomkit, websockets, SQLite",),
    ),
    "W7": Workload(
        "a reader who stalls",
        stalled.stalled_reader,
        (*_ADAPTERS, *_LOOPS),
        "p99 {calm_p99_ms:.1f} ms without, {stalled_p99_ms:.1f} with: {p99_ratio:.2f} x, "
        "lost {lost:.0f}",
    ),
    "W8": Workload(
        "pages of history, and coming back",
        pages.history_and_resume,
        (*_ADAPTERS, *_STORES),
        "{page_per_s:,.0f} pages/s, {page_cpu_us:.0f} us each, p99 {page_p99_ms:.1f} ms; "
        "{resume_per_s:,.0f} resumes/s, {resume_cpu_us:.0f} us each, p99 {resume_p99_ms:.1f} ms",
        quick=("roomkit, uvicorn, SQLite",),
    ),
    "W9": Workload(
        "one room, messages at a fixed rate",
        fan_out.open_loop,
        (BARE_TICK, *_FAN_OUT),
        _COPIES,
        quick=("roomkit, ZestAPI", "roomkit, recorded"),
    ),
    "rooms": Workload("a message, by rooms", scaling.by_rooms, (RAW, UVICORN), "{}"),
    "members": Workload("a message, by members", scaling.by_members, (RAW, UVICORN), "{}"),
}


def run_workload(name: str, sizes: Sizes, quick: bool) -> dict[str, object]:
    """Return the runs and medians of each contender that is there, and why the others are not.

    Args:
        quick: ask fewer contenders.
    """
    workload = WORKLOADS[name]
    asked = workload.quick if quick else workload.contenders
    absent = {each: why for each in asked if (why := CONTENDERS[each].absent())}
    runs: dict[str, list[Figures]] = {each: [] for each in asked if each not in absent}
    failed: dict[str, str] = {}
    turns = min(sizes.turns, workload.most_turns)
    for turn in range(turns):
        for each in runs:
            if each in failed:
                continue
            begun = time.perf_counter()
            try:
                run = workload.measure(CONTENDERS[each], sizes)
            except (LoadError, OSError) as error:
                failed[each] = str(error)
                say(f"{name} {turn + 1}/{turns} {each}: FAILED: {error}")
                continue
            runs[each].append({figure: round(value, 4) for figure, value in run.items()})
            busy = "" if run["load_share"] <= BUSY else "; the load was the bottleneck"
            took = time.perf_counter() - begun
            say(
                f"{name} {turn + 1}/{turns} {each}: "
                f"{workload.told.format(shown(run), **run)}{busy} ({took:.0f} s)"
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


def shown(run: Figures) -> str:
    """Return all figures of a run in a line."""
    return ", ".join(f"{name} {figure:,.1f}" for name, figure in run.items())
