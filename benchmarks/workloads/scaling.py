"""What a message costs with one room and with very many, and in rooms of few and of very many."""

from __future__ import annotations

from benchmarks.contenders import Contender
from benchmarks.frames import text_frame
from benchmarks.load_generator.crowd import Crowd, Place
from benchmarks.load_generator.talk import Publisher, one_after_the_other
from benchmarks.processes import Server
from benchmarks.sizes import Sizes

__all__ = ["by_members", "by_rooms"]

_ROOMS_EACH = 100
"""Rooms of one connection: the limit that people get."""

_PAIR = 2


def by_members(contender: Contender, sizes: Sizes) -> dict[str, float]:
    """One room with few members, with many, and with very many."""
    figures: dict[str, float] = {}
    for members in sizes.scaling_members:
        with contender.running() as running:
            crowd = Crowd(running.port, contender.dialect)
            crowd.arrive([Place(f"user-{n}", "general") for n in range(members)])
            author = Publisher.of(
                contender.dialect, crowd.connections[0], "user-0", "general", members
            )
            figures |= _cost(crowd, [author], running, sizes, str(members))
    return figures


def by_rooms(contender: Contender, sizes: Sizes) -> dict[str, float]:
    """Rooms of two people who talk in all of them, one message after the other."""
    figures: dict[str, float] = {}
    for rooms in sizes.scaling_rooms:
        with contender.running() as running:
            crowd, authors = _pairs(contender, running, rooms)
            figures |= _cost(crowd, authors, running, sizes, str(rooms))
    return figures


def _pairs(contender: Contender, running: Server, rooms: int) -> tuple[Crowd, list[Publisher]]:
    """Have two people in each room, of whom each is in many; return who talks in each."""
    crowd = Crowd(running.port, contender.dialect)
    groups = -(-rooms // _ROOMS_EACH)
    first = [Place(f"user-{n}", f"room-{n // 2 * _ROOMS_EACH}") for n in range(2 * groups)]
    crowd.arrive(first)
    authors: list[Publisher] = []
    for number, (connection, place) in enumerate(zip(crowd.connections, first, strict=True)):
        beginning = number // 2 * _ROOMS_EACH
        for room in range(beginning, min(beginning + _ROOMS_EACH, rooms)):
            if room != beginning:
                join = text_frame("join_room", room=f"room-{room}", history=0)
                crowd.ask(connection, join, b'"room_joined"')
            if number % _PAIR == 0:
                authors.append(
                    Publisher.of(contender.dialect, connection, place.name, f"room-{room}", _PAIR)
                )
    return crowd, authors


def _cost(
    crowd: Crowd, authors: list[Publisher], running: Server, sizes: Sizes, at: str
) -> dict[str, float]:
    """Return microseconds of processor time a message, under a name that ends in how many."""
    try:
        one_after_the_other(crowd, authors, sizes.warm_s)
        before = running.usage()
        said = one_after_the_other(crowd, authors, sizes.seconds)
        used = running.usage().since(before)
    finally:
        crowd.close()
    messages = max(said.messages, 1)
    return {
        f"messages_{at}": said.messages,
        f"cpu_us_{at}": sum(used) / messages * 1e6,
        f"user_us_{at}": used.user / messages * 1e6,
        "load_share": said.load_share,
    }
