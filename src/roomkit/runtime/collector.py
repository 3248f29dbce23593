"""Python's cyclic garbage collector in a process that is a chat server."""

from __future__ import annotations

import gc

__all__ = ["calm_collector"]

_THRESHOLDS = (5_000, 10, 50)


def calm_collector() -> None:
    """Have the garbage collector look less often, and never at what was there from the start.

    Every connection is some hundred objects that live for hours. As Python is set up, the collector
    looks through all of them again and again while people arrive, and nothing else happens
    meanwhile: with two thousand coming back at once it took a third of the processor, up to half a
    second at a time (`scripts/bench --only storm` with and without this call). Call it once, when
    the application is made and before anybody connects. It holds for the whole process, so a
    library cannot do it for you; `ChatServer.run` does.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
