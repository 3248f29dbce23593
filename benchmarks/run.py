"""`scripts/bench`: what a message costs, on roomkit and on what else there is, on this machine.

Every figure comes from this run on this machine; compare the ratios, not the figures of two runs.
Servers run in processes of their own, pinned to one processor, and the load to another.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.appending import measure_appending
from benchmarks.cluster import compare_clusters
from benchmarks.engine import measure_engine
from benchmarks.exodus import brave_exodus
from benchmarks.machine import machine
from benchmarks.processes import LOAD_PROCESSOR, open_files, pin, say
from benchmarks.recording import measure_recording
from benchmarks.report.page import told, write
from benchmarks.report.results import Results
from benchmarks.sizes import FULL, QUICK, Sizes
from benchmarks.sqlite_store import measure_sqlite_store
from benchmarks.stores import compare_stores
from benchmarks.storm import StormLost, brave_storm
from benchmarks.suite import WORKLOADS, run_workload

__all__ = ["main", "run"]

PARTS = ("engine", "recording", "sqlite", "stores", "storm", "exodus", "cluster", "appending")
Part = Callable[[], dict[str, object]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=[*WORKLOADS, *PARTS],
        help="run this alone; may be given several times",
    )
    parser.add_argument("--quick", action="store_true", help="everything small, to see it work")
    parser.add_argument("--seconds", type=float, help=f"of each run (default {FULL.seconds:g})")
    parser.add_argument("--turns", type=int, help=f"of all contenders (default {FULL.turns})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    parser.add_argument(
        "--page", action="store_true", help="write the figures of the documentation's page anew"
    )
    options = parser.parse_args(arguments)
    names: list[str] = options.only or [*WORKLOADS, *PARTS]
    chosen = WORKLOADS.keys() & set(names)
    if options.page and (options.quick or chosen not in (set(), WORKLOADS.keys())):
        parser.error("--page shows every workload: leave out --quick, and name all of them or none")

    open_files()
    sizes = (QUICK if options.quick else FULL).possible()
    if options.seconds is not None:
        sizes = sizes._replace(seconds=options.seconds)
    if options.turns is not None:
        sizes = sizes._replace(turns=options.turns)
    results: dict[str, object] = {}
    try:
        run(names, sizes, options.quick, results)
    except StormLost as lost:
        sys.exit(str(lost))
    finally:
        if options.json is not None:
            options.json.write_text(json.dumps(results, indent=2) + "\n")
    found = Results(results)
    say(told(found))
    if options.page:
        write(found)


def run(names: Sequence[str], sizes: Sizes, quick: bool, results: dict[str, object]) -> None:
    """Run workloads and parts, and put what they find into `results` as it is found."""
    pin(0, LOAD_PROCESSOR)
    workloads: dict[str, object] = {}
    results |= {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine(),
        "sizes": sizes._asdict(),
        "workloads": workloads,
    }
    parts = _parts(sizes, quick)
    for name in names:
        if name in WORKLOADS:
            say(f"{name}: {WORKLOADS[name].title}")
            workloads[name] = run_workload(name, sizes, quick)
        else:
            results |= parts[name]()


def _parts(sizes: Sizes, quick: bool) -> dict[str, Part]:
    """What is measured beside the workloads; none of it has a contender."""
    messages, large, clients = (500, 2_000, 60) if quick else (10_000, 1_000_000, 2_000)
    return {
        "engine": lambda: measure_engine(messages),
        "recording": lambda: measure_recording(messages),
        "sqlite": lambda: measure_sqlite_store(sizes.seconds, large),
        "stores": lambda: compare_stores(sizes.seconds),
        "storm": lambda: brave_storm(clients),
        "cluster": lambda: compare_clusters(sizes.seconds, sizes.turns),
        "appending": lambda: measure_appending(sizes.seconds / 2, sizes.turns),
        "exodus": lambda: brave_exodus(100 if quick else 10_000),
    }


if __name__ == "__main__":
    main()
