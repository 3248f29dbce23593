"""The table of a campaign."""

from __future__ import annotations

from collections.abc import Sequence

from tests.cluster.befalling import FAULTS
from tests.cluster.run import Outcome

__all__ = ["table"]

HEAD = (
    "fault", "numbers", "lasted", "no acknowledgement for", "all back after", "acknowledged",
    "gaps told", "lost",
)  # fmt: skip


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a row for each fault, of the worst where there were several."""
    lines = [_line(HEAD), _line(["---"] * len(HEAD))]
    for name, fault in FAULTS.items():
        found = [(row, outcome) for outcome in outcomes for row in outcome.rows if row.name == name]
        if not found:
            continue
        times = f", {len(found)} times" if len(found) > 1 else ""
        rows = [row for row, _ in found]
        lost = max(outcome.lost for _, outcome in found) if fault.loses else 0
        lines.append(
            _line(
                [
                    fault.what + times,
                    fault.numbers,
                    f"{max(row.took_s for row in rows):.1f} s",
                    f"{max(row.silent_s for row in rows):.1f} s",
                    f"{max(row.back_s for row in rows):.1f} s",
                    f"{sum(row.acked for row in rows)}",
                    f"{sum(row.gaps for row in rows)}",
                    f"{lost}",
                ]
            )
        )
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
