"""Having people talk: with so many messages in flight, or so many a second come what may."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.load_generator.crowd import Crowd
from benchmarks.load_generator.dialect import MARK, TEXT, Dialect, numbered

__all__ = ["Publisher", "Talk", "at_a_rate", "in_flight", "one_after_the_other", "percentile"]

_DRAIN_S = 10.0
"""What is missing so long after the last message is lost."""

_SILENT_S = 5.0
"""So is all that is missing when nothing came for so long."""

_LOOK_S = 0.5
_TICK_S = 0.001


@dataclass
class Publisher:
    """Somebody who posts.

    Attributes:
        copies: how many each of their messages is to make.
    """

    connection: int
    frame: bytearray
    digits: int
    copies: int

    @classmethod
    def of(cls, dialect: Dialect, connection: int, name: str, room: str, members: int) -> Publisher:
        """Return somebody in a room of so many, whose frame is built."""
        frame = bytearray(dialect.message(name, room, TEXT))
        return cls(connection, frame, frame.index(MARK) + len(MARK), members)

    def post(self, crowd: Crowd, at: float) -> None:
        """Send the next message; its time counts from `at`."""
        numbered(self.frame, self.digits, crowd.ledger.note(self.connection, at))
        crowd.send(self.connection, self.frame)


class Talk(NamedTuple):
    """What came of it.

    Attributes:
        seconds: from the first message to the last copy.
        load_share: of its processor, what the load used.
        latencies: seconds, of the copies that were watched, sorted.
        reads: reads that brought all copies.
    """

    messages: int
    copies: int
    lost: int
    seconds: float
    load_share: float
    latencies: Sequence[float]
    reads: int


def percentile(latencies: Sequence[float], percent: float) -> float:
    """Return a percentile of sorted seconds, in milliseconds; 0 if there are none."""
    if not latencies:
        return 0.0
    return latencies[min(int(len(latencies) * percent / 100), len(latencies) - 1)] * 1000


class _Run:
    """Counts from its beginning."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._copies, self._reads = crowd.copies, crowd.reads
        self._expected = 0
        self._messages = 0
        crowd.ledger.latencies.clear()
        crowd.own.clear()
        self.begun, self._used = time.perf_counter(), time.process_time()

    def post(self, publisher: Publisher, at: float) -> None:
        publisher.post(self._crowd, at)
        self._messages += 1
        self._expected += publisher.copies

    def all_arrived(self, most_s: float) -> bool:
        """Read until all copies are there, none comes any more, or it takes too long."""
        heard = time.perf_counter()
        until = heard + most_s
        while self._crowd.copies - self._copies < self._expected:
            came = self._crowd.read(_LOOK_S)
            now = time.perf_counter()
            if came:
                heard = now
            if now > until or now - heard > _SILENT_S:
                return False
        return True

    def end(self, most_s: float) -> Talk:
        """Wait for what is missing, and count."""
        self.all_arrived(most_s)
        seconds = time.perf_counter() - self.begun
        copies = self._crowd.copies - self._copies
        return Talk(
            messages=self._messages,
            copies=copies,
            lost=self._expected - copies,
            seconds=seconds,
            load_share=(time.process_time() - self._used) / seconds,
            latencies=sorted(self._crowd.ledger.latencies),
            reads=self._crowd.reads - self._reads,
        )


def one_after_the_other(crowd: Crowd, publishers: Sequence[Publisher], seconds: float) -> Talk:
    """Have them post in turns, the next when every copy of the message before is there."""
    run = _Run(crowd)
    now = run.begun
    turns = itertools.cycle(publishers)
    while now < run.begun + seconds:
        run.post(next(turns), now)
        if not run.all_arrived(_DRAIN_S):
            break
        now = time.perf_counter()
    return run.end(0)


def in_flight(crowd: Crowd, publishers: Sequence[Publisher], window: int, seconds: float) -> Talk:
    """Keep `window` messages of each publisher on their way to coming back to their author."""
    run = _Run(crowd)
    authors = {publisher.connection: publisher for publisher in publishers}
    for publisher in publishers:
        for _ in range(window):
            run.post(publisher, time.perf_counter())
    until = heard = run.begun
    until += seconds
    while (now := time.perf_counter()) < until and now - heard < _SILENT_S:
        if crowd.read(_LOOK_S):
            heard = now
        while crowd.own:
            run.post(authors[crowd.own.popleft()], time.perf_counter())
    return run.end(_DRAIN_S)


def at_a_rate(
    crowd: Crowd, publishers: Sequence[Publisher], per_second: float, seconds: float
) -> Talk:
    """Post at this rate in turns, whether or not anything comes back."""
    run = _Run(crowd)
    wanted = int(per_second * seconds)
    sent = 0
    while sent < wanted:
        due = min(int((time.perf_counter() - run.begun) * per_second) + 1, wanted)
        for number in range(sent, due):
            run.post(publishers[number % len(publishers)], run.begun + number / per_second)
        sent = max(sent, due)
        crowd.read(_TICK_S)
    return run.end(_DRAIN_S)
