"""Law 14: the same inputs give the same effects, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from roomkit.core.effects import Effect
from roomkit.core.engine import Engine
from roomkit.core.inputs import Input, Now
from roomkit.core.policy import Policy
from roomkit.limits import Limits
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node, minting
from roomkit.trace.records import written_down

__all__ = ["Recording", "Trace", "replay"]


@dataclass
class Trace:
    """One node's life: what came in when, and what came out, written down."""

    name: str
    inputs: list[tuple[Input, Now]] = field(default_factory=list[tuple[Input, Now]])
    effects: list[bytes] = field(default_factory=list[bytes])


class Recording(Observer):
    """Writes down the life of every node."""

    def __init__(self) -> None:
        self.traces: dict[str, Trace] = {}

    def stepping(self, node: Node, input: Input) -> None:
        trace = self.traces.setdefault(node.name, Trace(node.name))
        trace.inputs.append((input, node.now()))

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        self.traces[node.name].effects.append(written_down(effects))


def replay(
    trace: Trace,
    limits: Limits,
    policy: Policy,
    mint: Callable[[str], Callable[[], str]] = minting,
) -> None:
    """Feed a trace to a fresh engine.

    Raises:
        LawBroken: it says something else (law 14).
    """
    engine = Engine(limits=limits, mint=mint(trace.name), policy=policy)
    for (input, now), before in zip(trace.inputs, trace.effects, strict=True):
        again = written_down(engine.step(input, now))
        if again != before:
            raise LawBroken(14, f"{input} gave {before!r}, and then {again!r}")
