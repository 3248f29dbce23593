"""W7: what one member who never reads does to all the others."""

from __future__ import annotations

from benchmarks.contenders import Contender
from benchmarks.load_generator.crowd import Place
from benchmarks.load_generator.gathering import gather
from benchmarks.load_generator.talk import Talk, in_flight, percentile
from benchmarks.processes import Server
from benchmarks.sizes import Sizes

__all__ = ["stalled_reader"]

_WINDOW = 16


def stalled_reader(contender: Contender, sizes: Sizes) -> dict[str, float]:
    """Measure one room without and one with somebody who stops reading, in the same server."""
    with contender.running() as running:
        _talk(contender, running, sizes._replace(seconds=sizes.warm_s), "warm", stalled=False)
        calm = _talk(contender, running, sizes, "calm", stalled=False)
        stalled = _talk(contender, running, sizes, "stalled", stalled=True)
    without, with_it = percentile(calm.latencies, 99), percentile(stalled.latencies, 99)
    return {
        "copies": calm.copies + stalled.copies,
        "lost": stalled.lost,
        "calm_p99_ms": without,
        "stalled_p99_ms": with_it,
        "p99_ratio": with_it / without if without else 0.0,
        "load_share": max(calm.load_share, stalled.load_share),
    }


def _talk(contender: Contender, running: Server, sizes: Sizes, room: str, *, stalled: bool) -> Talk:
    """Have one member of a room talk; its copies are those of the members who read."""
    crowd, publishers = gather(contender.dialect, running.port, [room], sizes.members, 1)
    try:
        crowd.arrive([Place("somebody", room)])
        somebody = crowd.connections[-1]
        if stalled:
            crowd.stop_reading(somebody)
        else:
            publishers[0].copies += 1
        return in_flight(crowd, publishers, _WINDOW, sizes.seconds)
    finally:
        crowd.close()
