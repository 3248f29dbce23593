"""`scripts/scale`: what a deployment of any size asks of its Valkey, by a model that is measured.

Measures what each operation takes, runs small deployments to see whether the model holds, and says
what it means for large ones.
"""

from __future__ import annotations

import argparse

import msgspec

from benchmarks.machine import machine
from benchmarks.processes import LOAD_PROCESSOR, open_files, pin, say
from benchmarks.scale.costs import measure
from benchmarks.scale.deployment import check
from benchmarks.scale.model import Shape
from benchmarks.scale.page import FOLDER, write

SMALL = (
    Shape(2_000, 200, 2, messages_per_user_h=360, visits_per_user_h=20, typing_per_message=1),
    Shape(4_000, 400, 4, messages_per_user_h=180, visits_per_user_h=20, typing_per_message=1),
    Shape(4_000, 100, 4, messages_per_user_h=180, visits_per_user_h=10, typing_per_message=1),
)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/scale", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each operation (default 3)")
    parser.add_argument("--page", action="store_true", help="write the page's figures anew")
    options = parser.parse_args()
    pin(0, LOAD_PROCESSOR)
    open_files()
    costs = measure(options.seconds)
    checks = [check(shape, costs, 5 * options.seconds) for shape in SMALL]
    found = {"machine": machine(), "costs": msgspec.to_builtins(costs), "checks": checks}
    text = write(found, FOLDER if options.page else None)
    say(text)


if __name__ == "__main__":
    main()
