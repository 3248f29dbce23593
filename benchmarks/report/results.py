"""Reading figures back: medians, and ratios of two contenders in the same turns."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

__all__ = ["Figure", "Figures", "Results"]

Figures = Mapping[str, float]
_FRAME = ("date", "machine", "sizes", "workloads")


class Figure(NamedTuple):
    """One figure of one contender in one workload."""

    contender: str
    name: str


class Results:
    """The figures of a run of the suite, as they are in its JSON."""

    def __init__(self, results: Mapping[str, object]) -> None:
        self.all = results
        self._workloads = cast("Mapping[str, Mapping[str, object]]", results["workloads"])

    def date(self, part: str) -> str:
        """Return when a part beside the workloads was measured."""
        later = cast("Mapping[str, str]", self.all.get("later", {}))
        return later.get(part, cast("str", self.all["date"]))

    def with_parts_of(self, other: Results) -> Results:
        """Return these with what another, later run measured beside the workloads."""
        parts = {name: found for name, found in other.all.items() if name not in _FRAME}
        later = cast("Mapping[str, str]", self.all.get("later", {}))
        dates = {**later, **dict.fromkeys(parts, cast("str", other.all["date"]))}
        return Results({**self.all, **parts, "later": dates})

    @property
    def workloads(self) -> Sequence[str]:
        """Return the names of those that were run."""
        return list(self._workloads)

    def title(self, workload: str) -> str:
        """Return what it is, in words."""
        return cast("str", self._workloads[workload]["title"])

    def missing(self, workload: str) -> Mapping[str, str]:
        """Return who was not measured or failed, and why."""
        found = self._workloads[workload]
        absent = cast("Mapping[str, str]", found["absent"])
        failed = cast("Mapping[str, str]", found["failed"])
        return {**absent, **{name: f"failed: {why}" for name, why in failed.items()}}

    def contenders(self, workload: str) -> Mapping[str, Figures]:
        """Return the medians of each who was measured."""
        return {name: cast("Figures", found["median"]) for name, found in self._of(workload)}

    def ratio(self, workload: str, of: Figure, to: Figure) -> float | None:
        """Return the median over the turns of one figure by another; None if one is not there."""
        if workload not in self._workloads:
            return None
        runs = {
            name: cast("Sequence[Figures]", found["runs"]) for name, found in self._of(workload)
        }
        pairs = zip(runs.get(of.contender, ()), runs.get(to.contender, ()), strict=False)
        ratios = [one[of.name] / other[to.name] for one, other in pairs if other[to.name]]
        return statistics.median(ratios) if ratios else None

    def value(self, workload: str, of: Figure) -> float | None:
        """Return a median; None if it is not there."""
        if workload not in self._workloads:
            return None
        return self.contenders(workload).get(of.contender, {}).get(of.name)

    def _of(self, workload: str) -> Sequence[tuple[str, Mapping[str, object]]]:
        found = cast("Mapping[str, Mapping[str, object]]", self._workloads[workload]["contenders"])
        return list(found.items())
