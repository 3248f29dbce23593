"""A node under virtual time whose engine is recorded, as a hub's is."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from roomkit.core.policy import Policy, allow_own
from roomkit.limits import Limits
from roomkit.runtime.recorder import RecordedEngine, Tape
from roomkit.testing.world import Node, World, minting
from roomkit.trace import TraceFolder, read_trace, replay

MIB = 1024 * 1024


@contextmanager
def recorded(
    folder: Path,
    limits: Limits | None = None,
    policy: Policy = allow_own,
    most_bytes: int = MIB,
) -> Generator[tuple[World, Node]]:
    """Give a world and its node; when this is left, the trace is whole.

    The run is called n1-1 and the node n1-2.
    """
    world = World(limits, policy)
    node = world.node()
    tape = Tape(TraceFolder(folder, most_bytes))
    node.engine = RecordedEngine(tape, limits=world.limits, mint=minting("n1"), policy=policy)
    try:
        world.settle()
        yield world, node
    finally:
        tape.close()


def differences(trace: Path) -> list[tuple[int, str]]:
    """Return which steps of a trace differ, and how; none is what one hopes for."""
    return [
        (played.number, played.difference)
        for played in replay(read_trace(trace))
        if played.difference is not None
    ]


def steps(trace: Path) -> list[int]:
    """Return the numbers of the steps of a trace."""
    return [played.number for played in replay(read_trace(trace))]
