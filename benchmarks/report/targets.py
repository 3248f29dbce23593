"""What is aimed at, and whether this run met it. None of it stops anybody."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.contenders import BARE, BARE_TICK, RAW, UVICORN
from benchmarks.report.results import Figure, Results

__all__ = ["TARGETS", "Target", "Verdict", "judge"]


class Target(NamedTuple):
    """A figure, alone or by another, that is to be at most or at least so much."""

    workload: str
    words: str
    of: Figure
    to: Figure | None
    limit: float
    at_least: bool = False


class Verdict(NamedTuple):
    """A target and what was found.

    Attributes:
        value: None if it was not measured.
        by_processor: the same ratio of copies for each second of the server's processor, where
            copies a second are compared: on a busy machine that is the surer of the two.
    """

    target: Target
    value: float | None
    by_processor: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if that is not known."""
        if self.value is None:
            return None
        if self.target.at_least:
            return self.value >= self.target.limit
        return self.value <= self.target.limit


def _price(adapter: str, limit: float) -> Target:
    words = f"{adapter}: processor time of a copy, by the kernel's price"
    return Target("W1", words, Figure(adapter, "cpu_us"), Figure(BARE, "system_us"), limit)


def _faster(workload: str, adapter: str, peer: str, limit: float) -> Target:
    words = f"{adapter}: copies a second, by {peer}"
    rate = "copies_per_s"
    return Target(workload, words, Figure(adapter, rate), Figure(peer, rate), limit, at_least=True)


def _of_each(adapter: str, loop: str) -> list[Target]:
    """What is aimed at on an adapter; `loop` is the one people write on the same library."""
    return [
        *(
            _faster("W2", adapter, peer, limit)
            for peer, limit in (
                ("NATS", 1.2),
                ("ws on Node", 8),
                ("mosquitto", 8),
                ("python-socketio", 60),
            )
        ),
        Target(
            "W2",
            f"{adapter}: p99, by the bare loop that joins what a tick brings",
            Figure(adapter, "p99_ms"),
            Figure(BARE_TICK, "p99_ms"),
            2,
        ),
        _faster("W3", adapter, "websockets loop", 3),
        Target(
            "W4",
            f"{adapter}: joins a second, by the {loop}, which sends the same frames",
            Figure(adapter, "joins_per_s"),
            Figure(loop, "joins_per_s"),
            0.9,
            at_least=True,
        ),
        Target(
            "W5",
            f"{adapter}: memory of a connection, by the {loop}",
            Figure(adapter, "memory_kib"),
            Figure(loop, "memory_kib"),
            1.25,
        ),
        Target(
            "W7",
            f"{adapter}: the others' p99 with a stalled reader, by theirs without",
            Figure(adapter, "p99_ratio"),
            None,
            1.5,
        ),
        Target("W9", f"{adapter}: copies lost", Figure(adapter, "lost"), None, 0),
        Target("W9", f"{adapter}: p99 in milliseconds", Figure(adapter, "p99_ms"), None, 40),
    ]


TARGETS = sorted(
    [
        _price(RAW, 1.25),
        _price(UVICORN, 1.4),
        Target(
            "W1",
            f"{UVICORN}: processor time of a copy, by the Starlette loop",
            Figure(UVICORN, "cpu_us"),
            Figure("Starlette loop", "cpu_us"),
            0.5,
        ),
        *_of_each(RAW, "websockets loop"),
        *_of_each(UVICORN, "Starlette loop"),
    ],
    key=lambda target: target.workload,
)


def judge(results: Results) -> list[Verdict]:
    """Return what became of each target."""
    verdicts: list[Verdict] = []
    for target in TARGETS:
        if target.to is None:
            value, by_processor = results.value(target.workload, target.of), None
        else:
            value = results.ratio(target.workload, target.of, target.to)
            by_processor = _by_processor(results, target.workload, target.of, target.to)
        verdicts.append(Verdict(target, value, by_processor))
    return verdicts


def _by_processor(results: Results, workload: str, of: Figure, to: Figure) -> float | None:
    if of.name not in ("copies_per_s", "joins_per_s"):
        return None
    return results.ratio(workload, Figure(to.contender, "cpu_us"), Figure(of.contender, "cpu_us"))
