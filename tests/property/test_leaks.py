"""Connect, join, drop, ten thousand times: the engine is what it was."""

from __future__ import annotations

import pytest

from roomkit.core.commands import JoinRoom, SendMessage
from roomkit.core.state import State
from roomkit.core.timers import Timer
from roomkit.limits import Limits
from roomkit.testing.world import World

TIMES = 10_000

COUNTERS = ("appends", "pages", "lease_asked", "distrust_until", "lapsed_asked", "timers")
"""What may differ: numbers that only go up, and when the lease is renewed next."""


@pytest.mark.parametrize("protocol", [1, 2])
def test_ten_thousand_visits_leave_nothing_behind(protocol: int) -> None:
    world = World(Limits(frames_per_s=10**6, joins_per_s=10**6, messages_per_s=10**6))
    node = world.node()
    world.settle()
    state, start = node.engine.state, State(node.engine.node)
    for visit in range(TIMES):
        connection = node.open(f"c-{visit}", f"visitor {visit % 100}", protocol=protocol)
        room = f"room {visit % 10}"
        node.send(connection, JoinRoom(room=room, ref="r-1"))
        if visit % 3 == 0:
            node.send(connection, SendMessage(room=room, message="hello", ref="r-2"))
        if visit % 7:
            world.settle()
        node.drop(connection)
        del node.received[connection]
        node.watched.clear()
    world.advance(10 * 60_000)
    for name in COUNTERS:
        setattr(start, name, getattr(state, name))
    assert state == start
    assert [name for name in Timer if (name, "") in state.timers] == [Timer.LEASE]
    assert len(state.timers) == 1
