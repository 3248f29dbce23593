"""Microseconds of CPU per message inside one process: frame in, to fan-out begun. No sockets.

Each message is decoded, judged, appended to a `MemoryStore` with its link, folded, and encoded for
both the room and its author's ack, which is all the work a server does before it copies.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks.processes import say
from roomkit import Limits
from roomkit.core.commands import Hello, JoinRoom
from roomkit.core.effects import Append, Broadcast, Deliver
from roomkit.core.inputs import Appended, Received
from roomkit.testing.world import Node, World, run_now
from roomkit.wire import Codec

__all__ = ["UNPACED", "measure_engine", "talking"]

ROUNDS = 5
PLENTY = 10**6
UNPACED = Limits(
    messages_per_s=PLENTY, messages_burst=PLENTY, frames_per_s=PLENTY, frames_burst=PLENTY,
    joins_per_s=PLENTY, joins_burst=PLENTY, rooms_per_connection=PLENTY, roster_limit=PLENTY,
    roster_return=PLENTY,
)  # fmt: skip
FRAME = '{"type":"send_message","data":{"room":"general","ref":"r-1","message":"%s"}}' % (
    "The quick brown fox jumps over the lazy dog. " * 3
)


def measure_engine(messages: int) -> dict[str, object]:
    """Measure a message with no other rooms and with many, and say what was found."""
    results: dict[str, object] = {}
    for rooms in (1, 1000):
        say(f"engine: {messages} messages, {rooms} other rooms ...")
        cost = _engine_cost(messages, rooms)
        results[f"engine, {rooms} other rooms"] = cost
        say(f"  {cost['median_us']:.1f} us of CPU a message (best {cost['best_us']:.1f})")
    return results


def _engine_cost(messages: int, rooms: int) -> dict[str, float]:
    """Return the median and the best of several rounds, in microseconds of CPU a message.

    Args:
        messages: how many in each round.
        rooms: how many rooms exist beside the one that is measured.
    """
    world = World(UNPACED)
    one_message = talking(world, world.node(), rooms)
    for _ in range(messages // 10):
        one_message()
    costs: list[float] = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(messages):
            one_message()
        costs.append((time.process_time() - begun) / messages * 1e6)
    return {"median_us": statistics.median(costs), "best_us": min(costs)}


def talking(world: World, node: Node, rooms: int) -> Callable[[], None]:
    """Have alice join, and return what takes one message of hers the whole way."""
    alice = node.open("alice", "alice")
    for index in range(rooms):
        node.send(alice, JoinRoom(room=f"room-{index}"))
    node.send(alice, JoinRoom(room="general"))
    world.settle()
    codec = Codec(world.limits)
    engine, store, now = node.engine, node.store, world.clock.now()

    def one_message() -> None:
        command = codec.decode(FRAME, 2)
        assert not isinstance(command, Hello)
        for wanted in engine.step(Received(alice, command), now):
            if type(wanted) is not Append:
                continue
            outcome = run_now(store.append([wanted], now.wall))[0]
            for effect in engine.step(Appended(wanted.room, wanted.nonce, outcome), now):
                if type(effect) is Broadcast or type(effect) is Deliver:
                    codec.encode(effect.event, 2)
                else:
                    node.perform(effect)

    return one_message
