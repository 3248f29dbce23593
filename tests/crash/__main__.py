"""`scripts/crash`: kill a chat server in the middle of everything, and see what is left.

A server with a SQLite file is killed with SIGKILL at random moments and started again on the same
port and file, while clients write, edit and delete without pause. Once all is quiet every
acknowledged message must be in the history exactly once, in one order, every client must hold what
the server holds, and nobody may have been shown leaving. Exit status 1 says that it is not so.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from pathlib import Path

import anyio

from tests.crash.record import Record
from tests.crash.run import Figures, run
from tests.crash.verdict import faults


def say(text: str) -> None:
    """Show progress."""
    print(text, flush=True)


def spread(seconds: list[float]) -> str:
    """Return the median and the 99th percentile of these."""
    if len(seconds) < 2:
        return f"{seconds}"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s"


def summary(record: Record, figures: Figures) -> str:
    """Return the counts, a line each."""
    drafts = record.drafts
    revisions = [revision for draft in drafts for revision in draft.revisions]
    acked = [revision for revision in revisions if revision.outcome == "acked"]
    recovered = {
        answer: sum(person.recovered[answer] for person in record.people)
        for answer in (True, False, None)
    }
    return f"""{figures.kills} kills
messages: {len(drafts)} sent, {record.acked} acknowledged, {record.duplicates} as a repeat
edits: {sum(one.text is not None for one in acked)} acknowledged; \
deletes: {sum(one.text is None for one in acked)}; of both {len(revisions) - len(acked)} unanswered
rooms joined: {recovered[True]} recovered, {recovered[False]} after a told gap, \
{recovered[None]} anew
server listening again: {spread(figures.up_s)}
clients online again: {spread(figures.away_s)} ({len(figures.away_s)} times)"""


def main() -> None:
    """Parse the command line, run, and judge."""
    parser = argparse.ArgumentParser(prog="scripts/crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="how often (default 20)")
    parser.add_argument("--seed", type=int, help="repeats the moments and the writing of a run")
    parser.add_argument(
        "--spoil",
        choices=("memory", "keys"),
        help="break it: a store that forgets, or clients that resend under a new key",
    )
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    say(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        store = "memory:" if options.spoil == "memory" else str(Path(folder, "chat.db"))
        record, figures = anyio.run(
            lambda: run(options.kills, seed, store, fresh_keys=options.spoil == "keys", say=say)
        )
    say(summary(record, figures))
    wrong = faults(record)
    for fault in wrong:
        print(fault, file=sys.stderr)
    if wrong:
        sys.exit(f"{len(wrong)} fault(s) after {options.kills} kills with seed {seed}")
    say("nothing acknowledged was lost or doubled, and everybody agrees")


if __name__ == "__main__":
    main()
