"""Many seeds on every processor, with their progress shown."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread

from roomkit.testing.simulation.runs import Simulation, SimulationFailed
from roomkit.testing.simulation.tally import Tally

__all__ = ["run_many"]

_CHUNK = 20
_SAY_EVERY_S = 5.0


def run_many(
    seeds: range, simulation: Simulation, jobs: int, within: float | None = None
) -> tuple[Tally, int]:
    """Live the lives of these seeds in `jobs` processes.

    Args:
        simulation: as all of them are to live them.
        within: after so many seconds no new ones are begun; None if all are to be lived.

    Returns:
        What came up in them, and how many were lived.

    Raises:
        SimulationFailed: a law does not hold in one of them; no new ones are begun then.
    """
    tally, progress = Tally(), _Progress(len(seeds))
    chunks = _chunks(seeds, within)
    if jobs == 1:
        for chunk in chunks:
            tally.update(simulation.run(chunk))
            progress.done(len(chunk))
        return tally, progress.count
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent) as pool:
        waiting: dict[Future[Tally], int] = {}
        try:
            while True:
                for chunk in islice(chunks, 2 * jobs - len(waiting)):
                    waiting[pool.submit(_run, chunk, simulation)] = len(chunk)
                if not waiting:
                    return tally, progress.count
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    progress.done(waiting.pop(future))
                    tally.update(future.result())
        except SimulationFailed:
            pool.shutdown(cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """Have this process end when the one that began it does, even if that is killed."""
    parent = parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(1)

    Thread(target=end, daemon=True).start()


def _run(seeds: range, simulation: Simulation) -> Tally:
    return simulation.run(seeds)


def _chunks(seeds: range, within: float | None) -> Iterator[range]:
    """Yield them a few at a time, until they are all or the time is over."""
    end = None if within is None else time.monotonic() + within
    for start in range(0, len(seeds), _CHUNK):
        if end is not None and time.monotonic() >= end:
            return
        yield seeds[start : start + _CHUNK]


class _Progress:
    """Says now and then how far it is; on a terminal in one line, elsewhere in a few.

    Attributes:
        count: lives lived.
    """

    def __init__(self, seeds: int) -> None:
        self._seeds = seeds
        self.count = 0
        self._began = self._said = time.monotonic()

    def done(self, count: int) -> None:
        self.count += count
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self._said < _SAY_EVERY_S * (1 if terminal else 6) and self.count < self._seeds:
            return
        self._said = now
        rate = self.count / max(now - self._began, 0.001)
        end = "\r" if terminal and self.count < self._seeds else "\n"
        line = f"{self.count:,} of {self._seeds:,} seeds, {rate:.1f} a second"
        sys.stderr.write(line + end)
        sys.stderr.flush()
