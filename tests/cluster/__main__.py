"""`scripts/campaign`: four nodes, people who never stop talking, and one fault after the other.

Nodes are killed and stopped, the server they share is killed, paused, filled, emptied and replaced,
and what is between is cut, slowed, deafened and walled off. Whatever was acknowledged must be there
exactly once, in one order, and the same to everybody; if a fault takes it, everybody who saw it
must have been told a gap. Exit status 1 says that it is not so.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import anyio

from tests.cluster.befalling import FAULTS, SHAPES, WALLED
from tests.cluster.report import table
from tests.cluster.run import Outcome, campaign
from tests.network.walls import Walls, behind, missing, within


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
    chosen = parts(options.only, options.all, seed)
    if not within() and any(shape in WALLED for shape, _ in chosen):
        lacking = missing()
        if lacking is None:
            behind("tests.cluster", [*sys.argv[1:], "--seed", str(seed)])
        say(f"no walls can be put up, and what they would do is left out: {lacking}")
        chosen = [(shape, names) for shape, names in chosen if shape not in WALLED]
    walls = Walls() if within() else None
    outcomes = [
        anyio.run(
            campaign, names, f"{options.kind}-{SHAPES[shape]}", seed, say, options.spoil,
            walls if shape in WALLED else None,
        )
        for shape, names in chosen
    ]  # fmt: skip
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
    alone, walled = (
        [name for name in FAULTS if name in gentle and FAULTS[name].on == shape]
        for shape in ("alone", "walled")
    )
    others = [name for name in FAULTS if name not in (*short, *alone, *walled)]
    return [
        ("alone", short + alone),
        ("walled", walled),
        *((FAULTS[name].on, [name]) for name in others),
    ]


def _lost(outcomes: list[Outcome]) -> str:
    lost = sum(outcome.lost for outcome in outcomes)
    return f"{lost} lost with the server and told" if lost else "none lost"


if __name__ == "__main__":
    main()
