"""Conversations with the engine as text: an input, `----`, and every effect that came out.

The manner is that of etcd raft's interaction tests. A script is a text file of stanzas:

```text
# Lines beginning with # are prose.
alice join_room {"room": "lobby", "ref": "1"}
----
follow lobby
load lobby
append lobby #1
  entered n1-1
  arrival alice session=s-alice
alice <- room_joined lobby 1-L1 ref=1 total=1
  occupant alice since=+0s
attach alice lobby
```

Each input line is one of these; what is in brackets may be left out:

* `limits roster_limit=3 roster_return=2`: limits for all that follows. First, or not at all.
* `node`: another node starts. n1 is there from the beginning.
* `connect alice-tab alice [protocol=1] [session=s] [user=u] [guest]`: a connection opens. The name
  of the user may be `-` for none yet.
* `alice-tab join_room {"room": "lobby"}`: it sends a frame. `"L2"` stands for a link seen before.
* `drop alice-tab`: it is gone.
* `host post {"room": "lobby", "text": "hello"}`: the host asks. Also `kick`, `history`, `users`.
* `watch lobby`, `unwatch lobby`: the host begins, or stops, to watch a room.
* `drain restart`: the node sends everybody away, for this reason.
* `advance 15s`: time passes (`ms`, `s` or `m`), and timers fire on the way.
* `auto off`, `auto on`: store effects wait, or are performed at once, as in the beginning.
* `perform [append] [room=lobby] [as behind]`: the oldest waiting store effect of this kind and room
  is performed. An append may end as `behind`, `failed`, `unknown` (not stored) or
  `unknown-stored`; a load, read or page as `failed`.
* `settle`: all that waits is performed.
* `hints off`, `hints on`: what one node appends or signals is not brought to the others.
* `interrupt`: the feed says that it may have missed something.
* `pause n1`, `resume n1`: a node stands still. It hears nothing and its timers do not fire.
* `housekeeping on`, `housekeeping off`: lease renewals and tip checks are shown, or not, as in the
  beginning.

`connect` and what names no connection take `node=n2`; else they mean n1. With several nodes each
effect names its own. An effect later than the input, in `advance`, follows a line with its time.

`python -m roomkit.testing.script FILE ...` shows where scripts and engine differ; with `--rewrite`
it writes down what came out instead. Read what it wrote: a script is a promise.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from roomkit.testing.script_stage import ScriptError, Stage

__all__ = ["ScriptError", "difference", "main", "play"]

_RULE = "----"


@dataclass
class _Stanza:
    """Prose and blank lines, an input and its line number, and what was expected."""

    before: list[str]
    input: str | None = None
    number: int = 0
    expected: list[str] = field(default_factory=list[str])


def play(text: str) -> str:
    """Return the script with what came out of the engine in place of what was expected.

    Raises:
        ScriptError: a line cannot be understood, or asks for what is not there.
    """
    stage = Stage()
    lines: list[str] = []
    for stanza in _parse(text):
        lines += stanza.before
        if stanza.input is None:
            continue
        try:
            came_out = stage.play(stanza.input)
        except ScriptError as error:
            raise ScriptError(f"line {stanza.number}: {error}") from error
        lines += [stanza.input, _RULE, *came_out]
    return "\n".join(lines) + "\n"


def difference(path: Path) -> str:
    """Return a unified diff from what a script expects to what came out; empty if it holds.

    Raises:
        ScriptError: as `play`.
    """
    expected = path.read_text(encoding="utf-8")
    return "".join(
        difflib.unified_diff(
            expected.splitlines(keepends=True),
            play(expected).splitlines(keepends=True),
            f"{path.name} (expected)",
            f"{path.name} (what came out)",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check scripts, or write them anew; return 1 if any differs or cannot be played."""
    parser = argparse.ArgumentParser(prog="python -m roomkit.testing.script")
    parser.add_argument("--rewrite", action="store_true", help="write down what came out")
    parser.add_argument("scripts", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    rewrite: bool = options.rewrite
    scripts: list[Path] = options.scripts
    failed = False
    for path in scripts:
        try:
            if rewrite:
                path.write_text(play(path.read_text(encoding="utf-8")), encoding="utf-8")
                continue
            found = difference(path)
        except ScriptError as error:
            found = f"{path}: {error}\n"
        failed = failed or bool(found)
        sys.stdout.write(found)
    return int(failed)


def _parse(text: str) -> list[_Stanza]:
    """Divide a script; prose at its end is a stanza without input."""
    stanzas: list[_Stanza] = []
    before: list[str] = []
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if not line or line.startswith("#"):
            before.append(line)
            continue
        stanza = _Stanza(before, line, number)
        before = []
        if next(lines, (0, ""))[1] != _RULE:
            raise ScriptError(f"line {number}: put a line {_RULE} after this input: {line}")
        for _, expected in lines:
            if not expected:
                before.append(expected)
                break
            stanza.expected.append(expected)
        stanzas.append(stanza)
    while before and not before[-1]:
        before.pop()
    return [*stanzas, _Stanza(before)]


if __name__ == "__main__":
    sys.exit(main())
