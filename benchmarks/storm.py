"""A storm: two thousand clients are cut off at once, and come back as clients do.

They wait with full jitter and resume with their session and position. Nobody may be refused, and
all must be back within the grace, so that nobody is shown leaving. Some members were not cut off:
what their messages take before, around the cut, and while the others come back says whether the
server stalled for them. Two thousand connections that end in one turn of the event loop are work
for some hundred milliseconds, in asyncio and the websocket library as much as here; that is the
figure of the cut, and nothing a chat does can spread it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from benchmarks.load_generator.talk import percentile
from benchmarks.processes import Server, say, server
from benchmarks.storm_member import Member, Tally
from roomkit import Limits
from roomkit.client.backoff import CAP_MS

__all__ = ["AT_ONCE", "StormLost", "brave_storm", "post"]

ROOMS = 20
STEADY = 5
"""Rooms with a member who stays and posts."""

POSTS_PER_S = 4
CALM_S = 5.0
AT_ONCE = 50
CUT_S = 1.0
"""For so long messages may still wait for the cut itself to be dealt with."""

BUSY = 0.9
"""Share of its processor from which somebody was the bottleneck."""


class StormLost(Exception):
    """Somebody was refused, did not come back in time, or was shown leaving."""


def brave_storm(clients: int) -> dict[str, object]:
    """Return joins a second, when how many were back, and what the others' messages took.

    Args:
        clients: how many are cut off at once.

    Raises:
        StormLost: somebody was refused, did not come back in time, or was shown leaving.
    """
    say(f"storm: {clients} clients in {ROOMS} rooms, cut off at once ...")
    with server("defaults") as running:
        figures, tally = asyncio.run(_storm(running, clients))
    for name, value in figures.items():
        say(f"  {name}: {value:,.2f}" if isinstance(value, float) else f"  {name}: {value}")
    window = min(CAP_MS, Limits().presence_grace_ms) / 1000
    late = sum(back > window for back in tally.back_s) + clients - len(tally.back_s)
    if tally.refusals or late or tally.seen_leaving:
        raise StormLost(
            f"refused {dict(tally.refusals)}, {late} not back within {window:g} s, "
            f"{tally.seen_leaving} times somebody was shown leaving; all must be none"
        )
    return {"storm": figures}


async def _storm(running: Server, clients: int) -> tuple[dict[str, object], Tally]:
    tally = Tally()
    members = [Member(running.port, f"room-{n % ROOMS}", n, tally) for n in range(clients)]
    steady = [Member(running.port, f"room-{n}", clients + n, tally) for n in range(STEADY)]
    everybody = [*steady, *members]
    for start in range(0, len(everybody), AT_ONCE):
        await asyncio.gather(*(one.arrive() for one in everybody[start : start + AT_ONCE]))
    posting = asyncio.create_task(post(steady))
    await asyncio.sleep(CALM_S)
    before = [latency for _, latency in _latencies(steady)]

    used, server_used = time.process_time(), running.processor_s()
    cut_at = time.perf_counter()
    for member in members:
        member.drop()
    async with asyncio.timeout(2 * CAP_MS / 1000):
        await asyncio.gather(*(member.come_back(cut_at) for member in members))
    took = time.perf_counter() - cut_at
    used = (time.process_time() - used) / took
    server_now = running.processor_s()
    meanwhile = _latencies(steady)
    around = [latency for sent_at, latency in meanwhile if sent_at < cut_at + CUT_S]
    returning = [latency for sent_at, latency in meanwhile if sent_at >= cut_at + CUT_S]
    posting.cancel()
    for member in everybody:
        member.drop()

    back = sorted(tally.back_s)
    figures: dict[str, object] = {
        "joins_per_s": clients / took,
        **{f"back_{share}_percent_s": back[clients * share // 100 - 1] for share in (50, 99, 100)},
        "recovered": tally.recovered,
        "refusals": tally.refusals.total(),
        "others_before_p50_ms": percentile(sorted(before), 50),
        "others_before_p99_ms": percentile(sorted(before), 99),
        "others_at_the_cut_max_ms": max(around, default=0.0) * 1000,
        "others_meanwhile_p50_ms": percentile(sorted(returning), 50),
        "others_meanwhile_p99_ms": percentile(sorted(returning), 99),
        "load_processor": used,
    }
    if server_used is not None and server_now is not None:
        figures["server_processor"] = busy = (server_now - server_used) / took
        figures["bottleneck"] = (
            "the server" if busy >= BUSY else "the load" if used >= BUSY else "neither"
        )
    return figures, tally


async def post(steady: Sequence[Member]) -> None:
    """Have them post, now and then, until this is cancelled."""
    while True:
        for member in steady:
            member.post()
        await asyncio.sleep(1 / POSTS_PER_S)


def _latencies(steady: Sequence[Member]) -> list[tuple[float, float]]:
    """Take what was measured since the last time: when sent, and what it took."""
    taken = [latency for member in steady for latency in member.latencies]
    for member in steady:
        member.latencies.clear()
    return taken
