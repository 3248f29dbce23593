"""Filling rooms with a crowd."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.load_generator.crowd import Crowd, Place
from benchmarks.load_generator.dialect import Dialect
from benchmarks.load_generator.talk import Publisher

__all__ = ["gather"]

_WATCHED = 20
"""Members of a room of whom every copy is timed; the others' are counted."""


def gather(
    dialect: Dialect, port: int, rooms: Sequence[str], members: int, writers: int
) -> tuple[Crowd, list[Publisher]]:
    """Fill rooms, watch those who write and some others; return the writers of each room."""
    crowd = Crowd(port, dialect)
    places = [Place(f"user-{n}-in-{room}", room) for room in rooms for n in range(members)]
    crowd.arrive(places)
    publishers: list[Publisher] = []
    for number, (connection, place) in enumerate(zip(crowd.connections, places, strict=True)):
        if number % members < writers:
            publisher = Publisher.of(dialect, connection, place.name, place.room, members)
            publishers.append(publisher)
        if number % members < writers or number % max(members // _WATCHED, 1) == 0:
            crowd.watch(connection)
    return crowd, publishers
