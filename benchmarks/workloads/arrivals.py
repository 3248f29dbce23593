"""W4 and W5: clients that connect and join, and what it costs to have them there."""

from __future__ import annotations

import time

from benchmarks.contenders import Contender
from benchmarks.load_generator.crowd import Crowd, Place
from benchmarks.load_generator.talk import percentile
from benchmarks.sizes import Sizes

__all__ = ["arrive", "stay"]

_KIB_PER_MIB = 1024
_LOOK_S = 0.1


def arrive(contender: Contender, sizes: Sizes) -> dict[str, float]:
    """W4: clients connect and join a few rooms, each answered with the room as it is."""
    return _arrive(contender, sizes.arriving, sizes.rooms, 0)


def stay(contender: Contender, sizes: Sizes) -> dict[str, float]:
    """W5: as many connections as there may be, in small rooms, with nothing to say."""
    rooms = max(sizes.idle // sizes.room_members, 1)
    return _arrive(contender, sizes.idle, rooms, sizes.seconds)


def _arrive(contender: Contender, clients: int, rooms: int, idle_s: float) -> dict[str, float]:
    places = [Place(f"user-{n}", f"room-{n % rooms}") for n in range(clients)]
    with contender.running() as running:
        crowd = Crowd(running.port, contender.dialect)
        try:
            memory, before = running.memory_mib(), running.usage()
            begun, used = time.perf_counter(), time.process_time()
            took = sorted(crowd.arrive(places))
            seconds = time.perf_counter() - begun
            load_share = (time.process_time() - used) / seconds
            joining = running.usage().since(before)
            memory = running.memory_mib() - memory
            before, until = running.usage(), time.perf_counter() + idle_s
            while time.perf_counter() < until:
                crowd.read(_LOOK_S)
            idle = running.usage().since(before)
        finally:
            crowd.close()
    return {
        "joins": clients,
        "joins_per_s": clients / seconds,
        "cpu_us": sum(joining) / clients * 1e6,
        "user_us": joining.user / clients * 1e6,
        "system_us": joining.system / clients * 1e6,
        "p50_ms": percentile(took, 50),
        "p99_ms": percentile(took, 99),
        "memory_kib": memory * _KIB_PER_MIB / clients,
        "server_share": sum(joining) / seconds,
        "idle_share": sum(idle) / idle_s if idle_s else 0.0,
        "load_share": load_share,
    }
