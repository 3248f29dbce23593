"""Puts what is made from the code into the pages while they are built.

A line `<!-- drawn: NAME -->` in a page becomes a diagram, `<!-- listed: NAME -->` a table. Both are
made anew from the engine, the command table, the limits and the frames of this very version, so a
page cannot say something else. An unknown name, or a drawing that no longer fits what it shows,
fails the build.
"""

from __future__ import annotations

import re

# mkdocs puts the folder of a hook on the path while it loads the hook.
import diagrams
import javascript
import tables

__all__ = ["on_page_markdown"]

_MARK = re.compile(r"^<!-- (drawn|listed): ([a-z0-9-]+) -->$", re.MULTILINE)
_MADE = {"drawn": diagrams.DIAGRAMS, "listed": {**tables.TABLES, **javascript.TABLES}}


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace every mark of a page; called by mkdocs."""
    return _MARK.sub(lambda mark: _MADE[mark[1]][mark[2]](), markdown)
