"""W6: a chat day. People talk, type, come and go, and look back, in rooms of very different size.

Most stay, and every copy that is due to them is counted. One in five moves: leaves, comes back, and
reads the history. How long what people write is follows a log-normal curve with a median of 35
characters and one message in a hundred above 350. The rate is fixed, and the server is not busy:
what is shown is the cost of the mixture and how long a message takes in it.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter

from benchmarks.contenders import Contender
from benchmarks.frames import text_frame
from benchmarks.load_generator.crowd import Crowd, Place
from benchmarks.load_generator.dialect import DIGITS, MARK, ROOMKIT
from benchmarks.load_generator.talk import percentile
from benchmarks.sizes import Sizes

__all__ = ["chat_day"]

_SEED = 1
_MEDIAN_CHARS, _SPREAD, _MOST_CHARS = 35, 1.0, 2_000
_MOVING = 0.2
_SAY, _TYPE, _MOVE = 0.60, 0.85, 0.95
"""Shares of what people do, added up; the rest looks back."""

_WORDS = "the quick brown fox jumps over the lazy dog " * (_MOST_CHARS // 40)
_LOOK_S = 0.002
_DRAIN_S = 10.0


def chat_day(contender: Contender, sizes: Sizes) -> dict[str, float]:
    """Live a while of it, and return what an event cost and what a message took."""
    with contender.running() as running:
        day = _Day(running.port, sizes)
        try:
            day.live(sizes.warm_s)
            before = running.usage()
            figures = day.live(sizes.seconds)
            used = running.usage().since(before)
            memory = running.memory_mib()
        finally:
            day.end()
    events = max(figures["events"], 1)
    return figures | {
        "cpu_us": sum(used) / events * 1e6,
        "user_us": used.user / events * 1e6,
        "system_us": used.system / events * 1e6,
        "server_share": sum(used) / figures["seconds"],
        "memory_mib": memory,
    }


class _Day:
    """Everybody, and what they do next. Those who move are a crowd of their own, not counted."""

    def __init__(self, port: int, sizes: Sizes) -> None:
        self._chance = random.Random(_SEED)
        self._events_per_s = sizes.messages_per_s / 2
        rooms = [f"room-{number}" for number in range(max(sizes.people // 25, 2))]
        weights = [1 / (rank + 1) for rank in range(len(rooms))]
        chosen = self._chance.choices(rooms, weights, k=sizes.people)
        places = [Place(f"user-{number}", room) for number, room in enumerate(chosen)]
        moving = int(sizes.people * _MOVING)
        self._moving, self._staying = Crowd(port, ROOMKIT), Crowd(port, ROOMKIT)
        self._moving.arrive(places[:moving])
        self._staying.arrive(places[moving:])
        self._movers = list(zip(self._moving.connections, places[:moving], strict=True))
        self._stayers = list(zip(self._staying.connections, places[moving:], strict=True))
        self._away: set[int] = set()
        self._members = Counter(place.room for _, place in self._stayers)
        for connection, _ in self._stayers[:: max(len(self._stayers) // 50, 1)]:
            self._staying.watch(connection)

    def live(self, seconds: float) -> dict[str, float]:
        """Have things happen for a while, and wait for the copies that are missing."""
        crowd = self._staying
        crowd.ledger.latencies.clear()
        copies_before, expected, messages, done = crowd.copies, 0, 0, 0
        begun, used = time.perf_counter(), time.process_time()
        wanted = int(self._events_per_s * seconds)
        while done < wanted:
            due = min(int((time.perf_counter() - begun) * self._events_per_s) + 1, wanted)
            for number in range(done, due):
                copies = self._something(begun + number / self._events_per_s)
                expected += copies
                messages += copies > 0
            done = max(done, due)
            self._look()
        until = time.perf_counter() + _DRAIN_S
        while crowd.copies - copies_before < expected and time.perf_counter() < until:
            self._look()
        took = time.perf_counter() - begun
        latencies = sorted(crowd.ledger.latencies)
        return {
            "events": done,
            "messages": messages,
            "copies": crowd.copies - copies_before,
            "lost": expected - (crowd.copies - copies_before),
            "seconds": took,
            "p50_ms": percentile(latencies, 50),
            "p99_ms": percentile(latencies, 99),
            "p999_ms": percentile(latencies, 99.9),
            "load_share": (time.process_time() - used) / took,
        }

    def end(self) -> None:
        """Cut everybody off."""
        self._moving.close()
        self._staying.close()

    def _look(self) -> None:
        self._staying.read(_LOOK_S)
        self._moving.read(0)

    def _something(self, due: float) -> int:
        """Have somebody do something; return how many copies of a message it makes."""
        kind = self._chance.random()
        if kind < _SAY:
            connection, place = self._chance.choice(self._stayers)
            text = self._text(self._staying.ledger.note(connection, due))
            self._staying.send(connection, ROOMKIT.message(place.name, place.room, text))
            return self._members[place.room]
        if kind < _TYPE:
            connection, place = self._chance.choice(self._stayers)
            self._staying.send(connection, text_frame("typing_start", room=place.room))
            return 0
        mover, place = self._chance.choice(self._movers)
        if kind >= _MOVE and mover not in self._away:
            self._moving.send(mover, text_frame("get_history", room=place.room, limit=50))
        elif mover in self._away:
            self._away.discard(mover)
            self._moving.send(mover, text_frame("join_room", room=place.room))
        else:
            self._away.add(mover)
            self._moving.send(mover, text_frame("leave_room", room=place.room))
        return 0

    def _text(self, number: int) -> str:
        """Return what somebody writes: the mark, the number, and so many words."""
        length = self._chance.lognormvariate(math.log(_MEDIAN_CHARS), _SPREAD)
        return f"{MARK.decode()}{number:0{DIGITS}} {_WORDS[: min(int(length), _MOST_CHARS)]}"
