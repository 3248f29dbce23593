"""`python -m roomkit.testing.simulation`: live many lives, and say what came up in them."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from roomkit.testing.simulation.checks import REFUSALS, STATES
from roomkit.testing.simulation.held import EVERY
from roomkit.testing.simulation.many import run_many
from roomkit.testing.simulation.plan import EMPTIED, REPLAYED
from roomkit.testing.simulation.runs import STEPS, Simulation, SimulationFailed
from roomkit.testing.simulation.tally import CONDITIONS, FAULTS, SEEN, Tally

__all__ = ["ENOUGH", "main"]

ENOUGH = 2_000
"""In so many lives everything must have come up at least once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 0 if every law held and, in a run that is long enough, nothing was missing."""
    given = _parser().parse_args(arguments)
    began = time.monotonic()
    seeds = range(given.seed, given.seed + given.seeds)
    simulation = Simulation(steps=given.steps, nodes=given.nodes, clients=given.clients)
    try:
        if given.only is not None:
            tally, lived = simulation.life(given.seed, given.only), 1
        else:
            tally, lived = run_many(seeds, simulation, given.jobs, given.within)
    except SimulationFailed as failure:
        _say(f"{failure}\nFAILED: seed {failure.seed} breaks {_law(failure)}")
        return 1
    _say(summary(tally))
    if lived < min(given.seeds, ENOUGH):
        _say(f"FAILED: {given.within} s are too few: every law held, but in {lived:,} seeds only")
        return 1
    missing = tally.missing() if lived >= ENOUGH else []
    took = time.monotonic() - began
    count = f"{lived:,}" if lived == given.seeds else f"{lived:,} of {given.seeds:,}"
    lives = f"{count} seeds of {given.steps} steps in {took:.0f} s"
    if missing:
        _say(f"FAILED: every law held in {lives}, but these never came up: {', '.join(missing)}")
        return 1
    _say(f"every law held: {lives}, {lived / max(took, 0.001):.1f} a second")
    return 0


def summary(tally: Tally) -> str:
    """Return how often each thing came up."""
    lines = ["faults that took effect:"]
    lines += [f"{tally[f'fault {name}']:12,}  {name}: {what}" for name, what in FAULTS.items()]
    lines += ["", "how often each law was put to the test:"]
    lines += [f"{tally[f'law {law}']:12,}  law {law}: {what}" for law, what in CONDITIONS.items()]
    lines += ["", "what must not be rare:"]
    lines += [f"{tally[f'seen {name}']:12,}  {name}: {what}" for name, what in SEEN.items()]
    lines += ["", _samples(), ""]
    return "\n".join(lines)


def _samples() -> str:
    return (
        "looked at by samples, which the seed alone decides: the whole state of a node after "
        f"1 in {STATES} steps (law 0) and around 1 in {REFUSALS} commands (law 12), a client's "
        f"whole view after 1 in {EVERY} frames and every snapshot (law 5), the replay of 1 in "
        f"{REPLAYED} lives (law 14), everybody leaving in 1 in {EMPTIED} lives (law 0)"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _law(failure: SimulationFailed) -> str:
    return "the engine or a client" if failure.law is None else f"law {failure.law}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m roomkit.testing.simulation",
        description="Live random lives of a chat service, and hold every law in them.",
    )
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--seeds", type=_positive, default=1, help="how many (default: 1)")
    parser.add_argument(
        "--steps", type=_positive, default=STEPS, help="of each (default: %(default)s)"
    )
    parser.add_argument(
        "--nodes", type=_positive, help="in each, whatever its seed draws (1 to 3, rarely 5)"
    )
    parser.add_argument(
        "--clients", type=_positive, help="in each, whatever its seed draws (3 to 5, rarely 20)"
    )
    parser.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, help="processes (default: all CPUs)"
    )
    parser.add_argument(
        "--within",
        type=_positive,
        metavar="SECONDS",
        help=f"begin no life after so long; {ENOUGH:,} must have been lived by then, or all",
    )
    parser.add_argument(
        "--only", type=_numbers, help="the numbers of the steps to run, as a failure prints them"
    )
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"it must be 1 or more, not {text}")
    return number


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


if __name__ == "__main__":
    sys.exit(main())
