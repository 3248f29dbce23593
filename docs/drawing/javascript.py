"""What loading the JavaScript client costs, weighed from its files."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

__all__ = ["TABLES"]

_CLIENT = Path(__file__).resolve().parents[2] / "src/roomkit/client/javascript"


def _size() -> str:
    """Return the number of modules and their bytes, as they are and compressed one by one."""
    modules = [path.read_bytes() for path in sorted(_CLIENT.glob("*.js"))]
    plain = sum(map(len, modules))
    compressed = sum(len(gzip.compress(code, 9, mtime=0)) for code in modules)
    return (
        "| modules | bytes, comments included | each compressed with gzip |\n"
        "| --- | --- | --- |\n"
        f"| {len(modules)} | {plain:,} | {compressed:,} |"
    )


TABLES: dict[str, Callable[[], str]] = {"javascript-size": _size}
"""What a page may ask for."""
