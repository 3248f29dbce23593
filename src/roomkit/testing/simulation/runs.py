"""Seeds, one after the other: what came up in them, and the first that breaks a law, made small."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Sequence

from roomkit.testing.laws import LawBroken
from roomkit.testing.simulation.life import live
from roomkit.testing.simulation.plan import Setup, Step, plan
from roomkit.testing.simulation.shrinking import smallest
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.world_store import Stores, memory

__all__ = ["STEPS", "Simulation", "SimulationFailed"]

STEPS = 300
"""Steps of chaos in one life."""

_LINK = re.compile(r"(?:\b|(?<=\\xb0))[0-9a-f]{16}\b")  # packed, 0xb0 stands before it
_SHRINKING_RUNS = 600
_LAST_LINES = 40
_LINE_CHARS = 300


class SimulationFailed(AssertionError):
    """A life broke a law, or an exception ended it. The message is the whole report.

    Attributes:
        seed: whose life it was.
        law: the number of the law; None if it was an exception of another kind.
        only: the steps that are enough to break it.
    """

    def __init__(self, seed: int, law: int | None, only: Sequence[int], report: str) -> None:
        super().__init__(seed, law, only, report)
        self.seed, self.law, self.only, self.report = seed, law, tuple(only), report

    def __str__(self) -> str:
        return self.report


class Simulation:
    """Lives of a whole service, on a store of your choice.

    ```python
    Simulation().run(range(200))
    ```

    Args:
        steps: of chaos in each life.
        nodes: how many run at first; None for as many as each seed draws.
        clients: how many there are at first; None for as many as each seed draws.
        stores: makes the store of one life: called with limits and monotonic seconds, it returns
            what is called for each node's handle. No call of a handle may wait.
    """

    def __init__(
        self,
        *,
        steps: int = STEPS,
        nodes: int | None = None,
        clients: int | None = None,
        stores: Stores = memory,
    ) -> None:
        self._steps = steps
        self._nodes = nodes
        self._clients = clients
        self._stores = stores

    def run(self, seeds: Iterable[int]) -> Tally:
        """Live the lives of these seeds; return what came up in them all.

        Raises:
            SimulationFailed: a law does not hold; the first failure found, made small.
        """
        tally = Tally()
        collecting = gc.isenabled()
        gc.disable()  # a life makes few cycles, and looking for them costs a tenth of it
        gc.freeze()  # and after a life nothing is looked through that was there before
        try:
            for seed in seeds:
                tally.update(self.life(seed))
                gc.collect()
        finally:
            gc.unfreeze()
            if collecting:
                gc.enable()
        return tally

    def life(self, seed: int, only: Sequence[int] | None = None) -> Tally:
        """Live one life, or only some steps of it.

        Raises:
            SimulationFailed: a law does not hold.
        """
        setup, steps = self._plan(seed)
        chosen = range(len(steps)) if only is None else [at for at in only if at < len(steps)]
        try:
            return live(setup, [steps[at] for at in chosen], self._stores)
        except Exception as error:  # noqa: BLE001 - any exception ends a life, and is a failure
            failure = error
        raise self._failed(setup, steps, chosen, failure) from failure

    def journal(self, seed: int, only: Sequence[int] | None = None) -> list[str]:
        """Return what happens in a life, a line for each frame, input and step.

        Links, which stores make up, are named in the order in which they appear: a seed and a
        version of roomkit have one journal.
        """
        setup, steps = self._plan(seed)
        chosen = steps if only is None else [steps[at] for at in only if at < len(steps)]
        lines: list[str] = []
        try:
            live(setup, chosen, self._stores, lines)
        except Exception as error:  # noqa: BLE001 - the last line says how it ended
            lines.append(f"{type(error).__name__}: {error}")
        names: dict[str, str] = {}
        return [_LINK.sub(lambda link: _named(link[0], names), line) for line in lines]

    def _plan(self, seed: int) -> tuple[Setup, list[Step]]:
        return plan(seed, self._steps, self._nodes, self._clients)

    def _failed(
        self, setup: Setup, steps: Sequence[Step], chosen: Sequence[int], error: Exception
    ) -> SimulationFailed:
        kind = _kind(error)

        def fails(some: Sequence[int]) -> bool:
            try:
                live(setup, [steps[at] for at in some], self._stores)
            except Exception as other:  # noqa: BLE001 - another failure does not count
                return _kind(other) == kind
            return False

        only = smallest(chosen, fails, _SHRINKING_RUNS)
        law = error.law if isinstance(error, LawBroken) else None
        return SimulationFailed(setup.seed, law, only, self._report(setup, steps, only))

    def _report(self, setup: Setup, steps: Sequence[Step], only: Sequence[int]) -> str:
        *before, end = self.journal(setup.seed, only)
        numbers = ",".join(map(str, only))
        sizes = {"--nodes": self._nodes, "--clients": self._clients}
        size = "".join(f" {name} {given}" for name, given in sizes.items() if given is not None)
        again = f"--seed {setup.seed} --steps {len(steps)}{size} --only {numbers}"
        lines = [
            f"seed {setup.seed}: {setup}",
            f"\n{len(only)} of {len(steps)} steps are enough:",
            *(f"{at:5d}  {steps[at]}" for at in only),
            "\nwhat happened last:",
            *(line[:_LINE_CHARS] for line in before[-_LAST_LINES:]),
            f"\n{end}\n\nto see it again:\npython -m roomkit.testing.simulation {again}",
        ]
        return "\n".join(lines)


def _named(link: str, names: dict[str, str]) -> str:
    return names.setdefault(link, f"link-{len(names) + 1}")


def _kind(error: Exception) -> object:
    """Return what failures that count as the same have in common."""
    return error.law if isinstance(error, LawBroken) else type(error)
