"""`roomkit replay`: does a trace say again what it said?"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from roomkit.cli.shown import at, date, say
from roomkit.trace import Played, read_trace, replay

__all__ = ["add_arguments", "replay_trace"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `roomkit replay` takes."""
    parser.add_argument("trace", type=Path, help="the folder, or one segment out of it")
    parser.add_argument("--verbose", action="store_true", help="show every step")


def replay_trace(options: argparse.Namespace) -> int:
    """Replay a trace and print what was found.

    Returns:
        0 if every step said what it had said, byte for byte; 1 if one did not.

    Raises:
        TraceError: there is no trace that this version reads.
    """
    segments = read_trace(options.trace)
    for torn in [segment for segment in segments if segment.torn]:
        say(f"{torn.path.name}: its last {torn.torn} bytes are torn, and left out")
    inputs: Counter[str] = Counter()
    last: Played | None = None
    for played in replay(segments):
        _tell_beginning(last, played)
        last = played
        inputs[type(played.step.input).__name__] += 1
        if options.verbose:
            _show(played)
        if played.difference is not None:
            _tell_difference(played)
            return 1
    if last is not None:
        say(f"  to step {last.number}, {_moment(last)}")
    for name, count in sorted(inputs.items(), key=lambda one: (-one[1], one[0])):
        say(f"{count:>8}  {name}")
    say(f"{inputs.total():>8}  steps, byte for byte the same")
    return 0


def _tell_beginning(last: Played | None, played: Played) -> None:
    """Say where a run begins, or goes on after a hole."""
    header = played.header
    if last is not None and last.header.run == header.run:
        missing = played.number - last.number - 1
        if missing:
            say(f"  to step {last.number}, {_moment(last)}")
            say(f"{missing} steps are missing")
            say(f"  from step {played.number}, {_moment(played)}")
        return
    if last is not None:
        say(f"  to step {last.number}, {_moment(last)}")
    say(f"run {header.run}, recorded by roomkit {header.version}")
    say(f"  from step {played.number}, {_moment(played)}")


def _show(played: Played) -> None:
    step = played.step
    say(f"{at(step.now.wall)}  step {played.number}  {step.input}")
    for effect in played.effects:
        say(f"                {effect}")
    if played.raised is not None:
        say(f"                the engine failed: {played.raised}")


def _tell_difference(played: Played) -> None:
    step = played.step
    say(f"step {played.number} differs, {_moment(played)}")
    say(f"  {played.difference}")
    say(f"  input: {step.input}")
    for effect in played.effects:
        say(f"  now: {effect}")


def _moment(played: Played) -> str:
    wall = played.step.now.wall
    return f"{date(wall)} {at(wall)} UTC"
