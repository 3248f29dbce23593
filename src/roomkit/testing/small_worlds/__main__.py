"""`python -m roomkit.testing.small_worlds`: walk through small worlds, and count."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from roomkit.testing.small_worlds import PLOTS, Bounds, Count, WorldBroken, search, told

__all__ = ["main"]

_HEADING = (
    f"{'plot':12}{'states':>12}{'transitions':>14}{'ends':>8}{'moves':>7}{'steps':>9}{'s':>8}"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Search; return 0 if every law held in all states there are."""
    given = _parser().parse_args(arguments)
    bounds = Bounds(given.crashes, given.losses, given.periods, given.ahead)
    _say(
        f"2 nodes, 2 people, {given.commands} commands, of one person at most {given.ahead} "
        f"unanswered; at most {given.crashes} crash, {given.losses} lost hint, "
        f"{given.periods} period\n"
    )
    _say(_HEADING)
    complete = True
    for name in given.plots:
        try:
            count = search(PLOTS[name].shortened(given.commands), bounds, given.most)
        except WorldBroken as failure:
            _say(f"\n{told(failure)}\n\nFAILED: {name}")
            return 1
        _say(row(name, count))
        complete &= count.complete
    if not complete:
        _say(f"\nFAILED: --most {given.most} left out what lies beyond")
        return 1
    _say("\nevery law held in every state")
    return 0


def row(name: str, count: Count) -> str:
    """Return a search's line of the table."""
    return (
        f"{name:12}{count.states:12,}{count.transitions:14,}{count.ends:8,}{count.depth:7}"
        f"{count.steps:9,}{count.seconds:8.1f}{'' if count.complete else '  not complete'}"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m roomkit.testing.small_worlds",
        description="Look at every state of small worlds, and hold every law in them.",
        epilog="; ".join(f"{plot.name}: {plot.about}" for plot in PLOTS.values()),
    )
    parser.add_argument(
        "plots", nargs="*", default=list(PLOTS), metavar="plot", help="which (default: all)"
    )
    defaults = Bounds()
    add = parser.add_argument
    add("--commands", type=int, choices=range(7), default=4, help="in all (default: %(default)s)")
    add("--crashes", type=int, choices=(0, 1), default=defaults.crashes, help="of nodes")
    add("--losses", type=int, default=defaults.losses, help="of hints (default: %(default)s)")
    add(
        "--periods",
        type=int,
        default=defaults.periods,
        help="that pass amid all this, after a fault (default: %(default)s)",
    )
    add(
        "--ahead",
        type=int,
        default=defaults.ahead,
        help="commands a person sends without waiting for an answer (default: %(default)s)",
    )
    add("--most", type=int, help="give up after so many states")
    return parser


if __name__ == "__main__":
    sys.exit(main())
