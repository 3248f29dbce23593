"""The parser, and what becomes the exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from roomkit.cli import explain, replay, serve
from roomkit.errors import TraceError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `roomkit` with these arguments, or with those of the process.

    Returns:
        The exit status: 0 if all is well, 1 if a replay differs or nothing could go on, 2 if there
        is nothing to work on.
    """
    parser = argparse.ArgumentParser(
        prog="roomkit", description="Serve a chat, and look into what it recorded."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    serving = commands.add_parser(
        "serve",
        help="serve an application, in several processes if you like",
        description="Serve an application in one or several processes, which are one chat.",
    )
    serve.add_arguments(serving)
    serving.set_defaults(run=serve.serve)
    replaying = commands.add_parser(
        "replay",
        help="play a trace again: does everything come out as it did?",
        description="Play a trace again, and compare all that comes out byte for byte.",
    )
    replay.add_arguments(replaying)
    replaying.set_defaults(run=replay.replay_trace)
    explaining = commands.add_parser(
        "explain",
        help="why was a user told something?",
        description="Walk from what a user was told in a room back to what caused it.",
    )
    explain.add_arguments(explaining)
    explaining.set_defaults(run=explain.explain)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except TraceError as error:
        print(f"roomkit: {error}", file=sys.stderr)  # noqa: T201 - this is what it is for
        return 2
    except BrokenPipeError:
        # Whoever read has seen enough (`| head`); nothing is to be flushed at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
