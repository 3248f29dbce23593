"""What the black box costs: CPU a message with and without it, and how long a segment's start holds
the loop.

The thread that compresses and writes is counted too. Both engines are measured in turns; compare
the ratio.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.engine import ROUNDS, UNPACED, talking
from benchmarks.processes import say
from roomkit.core.commands import JoinRoom, SendMessage
from roomkit.core.policy import allow_own
from roomkit.runtime.recorder import RecordedEngine, Tape, packed
from roomkit.testing.world import World
from roomkit.trace import TraceFolder

__all__ = ["measure_recording", "recording_cost", "state_cost"]

_MOST_BYTES = 64 * 1024 * 1024


def measure_recording(messages: int) -> dict[str, object]:
    """Measure both, and say what was found."""
    say(f"black box: {messages} messages with and without ...")
    cost = recording_cost(messages)
    say(
        f"  {cost['with_us']:.1f} us of CPU a message, {cost['without_us']:.1f} without: "
        f"{cost['ratio']:.2f} times; {cost['bytes']:.0f} bytes a message"
    )
    state = state_cost(100, 10, 400)
    say(f"  a segment begins, 100 rooms of 10 people and 400 messages: {state['median_ms']:.0f} ms")
    return {
        "black box": cost,
        "black box, a segment begins with 100 rooms, 1000 people, 40000 messages": state,
    }


def recording_cost(messages: int) -> dict[str, float]:
    """Return microseconds of CPU a message with and without, the ratio, and bytes a message.

    Args:
        messages: how many in each round of each engine.
    """
    with tempfile.TemporaryDirectory() as folder:
        tape = Tape(TraceFolder(Path(folder), _MOST_BYTES))
        plain, recorded = World(UNPACED), World(UNPACED)
        node, count = recorded.node(), itertools.count()
        node.engine = RecordedEngine(
            tape, limits=UNPACED, mint=lambda: f"id-{next(count)}", policy=allow_own
        )
        takers = (talking(plain, plain.node(), 0), talking(recorded, node, 0))
        costs: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for one_message, found in zip(takers, costs, strict=True):
                begun = time.process_time()
                for _ in range(messages):
                    one_message()
                found.append((time.process_time() - begun) / messages * 1e6)
        tape.close()
        size = sum(segment.stat().st_size for segment in Path(folder).iterdir())
    without, with_it = map(statistics.median, costs)
    return {
        "without_us": without,
        "with_us": with_it,
        "ratio": with_it / without,
        "bytes": size / (messages * ROUNDS),
    }


def state_cost(rooms: int, people: int, messages: int) -> dict[str, float]:
    """Return how long the loop is held when a segment begins, in milliseconds.

    Args:
        rooms: how many, each with `people` in it and `messages` said.
    """
    world = World(UNPACED)
    node = world.node()
    for room in range(rooms):
        tabs = [node.open(f"tab-{room}-{one}", f"user-{room}-{one}") for one in range(people)]
        for tab in tabs:
            node.send(tab, JoinRoom(room=f"room-{room}"))
        world.settle()
        for number in range(messages):
            said = SendMessage(room=f"room-{room}", message=f"{number}: the quick brown fox")
            node.send(tabs[0], said)
            world.settle()
    took: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        packed(node.engine.state)
        took.append((time.perf_counter() - begun) * 1e3)
    return {"median_ms": statistics.median(took)}
