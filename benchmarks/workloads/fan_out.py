"""W1, W2, W3 and W9: messages into rooms, and a copy of each to everybody there."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from benchmarks.contenders import Contender
from benchmarks.load_generator.crowd import Crowd
from benchmarks.load_generator.gathering import gather
from benchmarks.load_generator.talk import (
    Publisher,
    Talk,
    at_a_rate,
    in_flight,
    one_after_the_other,
    percentile,
)
from benchmarks.processes import Server
from benchmarks.sizes import Sizes

__all__ = ["burst", "many_rooms", "measured", "one_in_flight", "open_loop"]

Figures = dict[str, float]
Talking = Callable[[Crowd, Sequence[Publisher], float], Talk]


def one_in_flight(contender: Contender, sizes: Sizes) -> Figures:
    """W1: one room, one writer, the next message when every copy of the last is there."""
    return _one_room(contender, sizes, 1, one_after_the_other)


def burst(contender: Contender, sizes: Sizes) -> Figures:
    """W2: one room, one writer, sixteen messages in flight."""
    return _one_room(contender, sizes, 1, functools.partial(_in_flight, window=16))


def many_rooms(contender: Contender, sizes: Sizes) -> Figures:
    """W3: many rooms, one writer in each, four messages in flight each."""
    with contender.running() as running:
        names = [f"room-{number}" for number in range(sizes.rooms)]
        crowd, publishers = gather(contender.dialect, running.port, names, sizes.room_members, 1)
        return measured(crowd, publishers, running, functools.partial(_in_flight, window=4), sizes)


def open_loop(contender: Contender, sizes: Sizes) -> Figures:
    """W9: one room, some writers, so many messages a second whatever comes back."""

    def talk(crowd: Crowd, publishers: Sequence[Publisher], seconds: float) -> Talk:
        return at_a_rate(crowd, publishers, sizes.messages_per_s, seconds)

    return _one_room(contender, sizes, sizes.writers, talk)


def _in_flight(
    crowd: Crowd, publishers: Sequence[Publisher], seconds: float, *, window: int
) -> Talk:
    return in_flight(crowd, publishers, window, seconds)


def _one_room(contender: Contender, sizes: Sizes, writers: int, talk: Talking) -> Figures:
    with contender.running() as running:
        crowd, publishers = gather(
            contender.dialect, running.port, ["general"], sizes.members, writers
        )
        return measured(crowd, publishers, running, talk, sizes)


def measured(
    crowd: Crowd, publishers: Sequence[Publisher], running: Server, talk: Talking, sizes: Sizes
) -> Figures:
    """Warm up, have people talk, close the crowd, and return what it cost."""
    try:
        before = running.usage()
        said = talk(crowd, publishers, sizes.warm_s)
        if not said.lost:  # else what is late would be taken for what comes after
            before = running.usage()
            said = talk(crowd, publishers, sizes.seconds)
        used = running.usage().since(before)
        return _figures(said, used.user, used.system) | {"memory_mib": running.memory_mib()}
    finally:
        crowd.close()


def _figures(said: Talk, user_s: float, system_s: float) -> Figures:
    """Return a run in the units of the report: microseconds a copy, milliseconds, shares."""
    copies = max(said.copies, 1)
    return {
        "messages": said.messages,
        "copies": said.copies,
        "lost": said.lost,
        "messages_per_s": said.messages / said.seconds,
        "copies_per_s": said.copies / said.seconds,
        "cpu_us": (user_s + system_s) / copies * 1e6,
        "user_us": user_s / copies * 1e6,
        "system_us": system_s / copies * 1e6,
        "p50_ms": percentile(said.latencies, 50),
        "p99_ms": percentile(said.latencies, 99),
        "p999_ms": percentile(said.latencies, 99.9),
        "copies_per_read": said.copies / max(said.reads, 1),
        "server_share": (user_s + system_s) / said.seconds,
        "load_share": said.load_share,
    }
