"""`roomkit explain`: why a user was told something in a room."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from roomkit.cli import words
from roomkit.cli.causes import Line, causes
from roomkit.cli.chronicle import Chronicle, Told
from roomkit.cli.shown import at, date, say
from roomkit.core.events import EntryEvent
from roomkit.errors import TraceError
from roomkit.ids import RoomId
from roomkit.trace import Segment, read_trace, replay

__all__ = ["add_arguments", "explain"]

_LISTED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `roomkit explain` takes."""
    parser.add_argument("trace", type=Path, help="the folder, or one segment out of it")
    parser.add_argument("--user", required=True, help="name or id of the user")
    parser.add_argument("--room", required=True, help="the room")
    parser.add_argument(
        "--event",
        default="last",
        metavar="WHICH",
        help="which of the events told: `last` (as without it), the seq of an entry, a kind like "
        f"`message`, `roster` or `error` (the last of them), or `list` for the last {_LISTED}",
    )


def explain(options: argparse.Namespace) -> int:
    """Print the chain of causes, or the list of what was told.

    Returns:
        0; 1 if the trace cannot be replayed to its end (what is before that is explained).

    Raises:
        TraceError: there is no such trace, user or event in it.
    """
    chronicle = Chronicle(options.user, RoomId(options.room))
    difference = _watch(chronicle, read_trace(options.trace))
    if options.event == "list":
        lines = _list(list(chronicle.told)[-_LISTED:])
    else:
        told = _pick(chronicle, options.user, options.event)
        lines = _chain(causes(chronicle, told))
    for line in lines:
        say(line)
    if difference is None:
        return 0
    say(f"the replay differs from step {difference} on: nothing after it is explained")
    return 1


def _watch(chronicle: Chronicle, segments: Sequence[Segment]) -> int | None:
    """Replay a trace; return the step that differs, if one does."""
    for played in replay(segments, chronicle):
        if played.difference is not None:
            return played.number
        chronicle.note(played)
    return None


def _pick(chronicle: Chronicle, user: str, which: str) -> Told:
    for told in reversed(chronicle.told):
        if which in ("last", words.kind(type(told.event)), _seq(told)):
            return told
    if chronicle.told:
        kinds = sorted({words.kind(type(told.event)) for told in chronicle.told})
        raise TraceError(
            f"{user} was told nothing like {which!r} in {chronicle.room}: give a seq, or one of "
            f"{', '.join(kinds)}; `--event list` shows what there is"
        )
    known = sorted({one.username or one.user_id for one in chronicle.users.values()})
    raise TraceError(
        f"{user} was told nothing in {chronicle.room} in this trace; users in it are "
        f"{', '.join(known[:10]) or 'none'}"
    )


def _seq(told: Told) -> str | None:
    return str(told.event.seq) if isinstance(told.event, EntryEvent) else None


def _list(told: Sequence[Told]) -> Iterator[str]:
    yield "time (UTC)    step      kind       what was told"
    for one in told:
        moment = one.moment
        yield (
            f"{at(moment.now.wall)}  {moment.number:<8}  {words.kind(type(one.event)):<9}  "
            f"{words.event(one.event)}"
        )


def _chain(lines: Sequence[Line]) -> Iterator[str]:
    yield f"{date(lines[0].moment.now.wall)}, times in UTC"
    for depth, moment, text in lines:
        yield f"{at(moment.now.wall)}  step {moment.number:<6}  {'  ' * depth}{text}"
