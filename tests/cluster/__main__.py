"""`scripts/campaign`: four nodes, people who never stop talking, and one fault after the other.

Nodes are killed and stopped, the server they share is killed, paused, filled, emptied and replaced,
and what is between is cut, slowed, and deafened. Whatever was acknowledged must be there exactly
once, in one order, and the same to everybody; if a fault takes it, everybody who saw it must have
been told a gap. Exit status 1 says that it is not so.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import anyio

from tests.cluster.befalling import FAULTS
from tests.cluster.report import table
from tests.cluster.run import Outcome, campaign


def say(text: str) -> None:
    """Show progress."""
    print(text, flush=True)


def main() -> None:
    """Parse the command line, run, and judge."""
    parser = argparse.ArgumentParser(prog="scripts/campaign", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every fault, on every deployment")
    parser.add_argument("--only", action="append", choices=FAULTS, help="this fault alone")
    parser.add_argument("--seed", type=int, help="repeats the order and the moments of a run")
    parser.add_argument("--kind", choices=("valkey", "redis"), default="valkey")
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="write a table of what was found"
    )
    parser.add_argument(
        "--spoil", action="store_true", help="break it: nodes acknowledge what they do not store"
    )
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    say(f"seed {seed}")
    outcomes = [
        anyio.run(campaign, names, f"{options.kind}-{shape}", seed, say, options.spoil)
        for shape, names in parts(options.only, options.all, seed)
    ]
    rows = [row for outcome in outcomes for row in outcome.rows]
    say(table(outcomes))
    if options.table is not None:
        options.table.write_text(table(outcomes) + "\n")
    wrong = [fault for outcome in outcomes for fault in outcome.wrong]
    for fault in wrong:
        print(fault, file=sys.stderr)
    if wrong:
        sys.exit(f"{len(wrong)} fault(s) after {len(rows)} troubles with seed {seed}")
    acked = sum(outcome.acked for outcome in outcomes)
    say(f"{len(rows)} troubles, {acked} acknowledged, {_lost(outcomes)}")


def parts(only: list[str] | None, everything: bool, seed: int) -> list[tuple[str, list[str]]]:
    """Return what is to be run: on which shape of deployment, which faults in which order.

    A fault that loses what was acknowledged is a run of its own.
    """
    if only:
        return [(FAULTS[name].on, [name]) for name in only]
    short = [name for name, fault in FAULTS.items() for _ in range(fault.often)]
    random.Random(seed).shuffle(short)
    if not everything:
        return [("alone", short)]
    gentle = {name for name, fault in FAULTS.items() if not fault.often and not fault.loses}
    alone = [name for name in FAULTS if name in gentle and FAULTS[name].on == "alone"]
    others = [name for name, fault in FAULTS.items() if fault.loses or fault.on != "alone"]
    return [("alone", short + alone), *((FAULTS[name].on, [name]) for name in others)]


def _lost(outcomes: list[Outcome]) -> str:
    lost = sum(outcome.lost for outcome in outcomes)
    return f"{lost} lost with the server and told" if lost else "none lost"


if __name__ == "__main__":
    main()
