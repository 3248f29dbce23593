"""An exodus: the node of ten thousand clients is killed, and all of them come back at another.

They wait with full jitter and resume with session and position, as clients do. All must be back
within a minute, nobody may be shown leaving, and the node that takes them may not ask the store for
each of them: what a room holds is read once, whoever comes.
"""

from __future__ import annotations

import asyncio
import time

from benchmarks.load_generator.talk import percentile
from benchmarks.processes import Server, say, server
from benchmarks.storm import AT_ONCE, StormLost, post
from benchmarks.storm_member import Member, Tally
from benchmarks.valkey import fact_of, valkey

__all__ = ["brave_exodus"]

ROOMS = 100
STEADY = 5
"""Rooms with a member who is at the other node, and posts."""

ADDRESSES = 8
CALM_S = 3.0
PATIENCE_S = 60.0


def brave_exodus(clients: int) -> dict[str, object]:
    """Return when how many were back, what the others' messages took, and what was read.

    Args:
        clients: how many lose their node.

    Raises:
        StormLost: somebody did not come back in time, or was shown leaving, or a room was read more
            often than once by the node it came to.
    """
    say(f"exodus: {clients} clients in {ROOMS} rooms, whose node is killed ...")
    with valkey() as store:
        url = f"redis://127.0.0.1:{store.port}"
        with server("node", url) as refuge, server("node", url) as doomed:
            figures, tally = asyncio.run(_exodus(store, refuge, doomed, clients))
    for name, value in figures.items():
        say(f"  {name}: {value:,.2f}" if isinstance(value, float) else f"  {name}: {value}")
    missing = clients - len(tally.back_s)
    reads = figures["rooms_read"]
    assert isinstance(reads, int)
    if missing or tally.seen_leaving or reads > ROOMS:
        raise StormLost(
            f"{missing} not back within {PATIENCE_S:g} s, {tally.seen_leaving} times somebody was "
            f"shown leaving, both must be none; {reads} reads of a room, where {ROOMS} may be; "
            f"refused meanwhile: {dict(tally.refusals)}"
        )
    return {"exodus": figures}


async def _exodus(
    store: Server, refuge: Server, doomed: Server, clients: int
) -> tuple[dict[str, object], Tally]:
    tally = Tally()
    members = [
        Member(doomed.port, f"room-{n % ROOMS}", n, tally, f"127.0.0.{2 + n % ADDRESSES}")
        for n in range(clients)
    ]
    steady = [Member(refuge.port, f"room-{n}", clients + n, tally) for n in range(STEADY)]
    everybody = [*steady, *members]
    for start in range(0, len(everybody), AT_ONCE):
        await asyncio.gather(*(one.arrive() for one in everybody[start : start + AT_ONCE]))
    posting = asyncio.create_task(post(steady))
    await asyncio.sleep(CALM_S)
    for member in steady:
        member.latencies.clear()
    for member in members:
        member.port = refuge.port

    read = _reads(store)
    killed_at = time.perf_counter()
    doomed.kill()
    coming = [asyncio.create_task(member.come_back(killed_at)) for member in members]
    await asyncio.wait(coming, timeout=PATIENCE_S)
    took = time.perf_counter() - killed_at
    for one in coming:
        one.cancel()
    posting.cancel()
    read = _reads(store) - read
    latencies = sorted(latency for member in steady for _, latency in member.latencies)
    for member in everybody:
        member.drop()

    back = sorted(tally.back_s)
    figures: dict[str, object] = {
        f"back_{share}_percent_s": back[len(back) * share // 100 - 1] for share in (50, 99, 100)
    }
    figures |= {
        "joins_per_s": len(back) / took,
        "recovered": tally.recovered,
        "refusals": tally.refusals.total(),
        "seen_leaving": tally.seen_leaving,
        "rooms_read": read,
        "others_p50_ms": percentile(latencies, 50),
        "others_p99_ms": percentile(latencies, 99),
    }
    return figures, tally


def _reads(store: Server) -> int:
    """How often what a room holds was read: each time a range of its log."""
    return fact_of(store.port, "commandstats", "cmdstat_xrange:calls=")
