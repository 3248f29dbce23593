"""The end of a life: everything comes to rest and agrees, everybody leaves and nothing stays."""

from __future__ import annotations

from roomkit.core.inputs import Unwatched, Watched
from roomkit.core.timers import Timer
from roomkit.limits import Limits
from roomkit.testing.laws import LawBroken
from roomkit.testing.lives.crowd import ROOMS, Crowd
from roomkit.testing.lives.trouble import Trouble

__all__ = ["come_to_rest", "debt_ms", "leave_nothing", "rest_ms"]


def come_to_rest(crowd: Crowd, trouble: Trouble) -> None:
    """End all trouble, have every node serve every room, and wait until nothing moves any more.

    Raises:
        LawBroken: something does not agree with something else.
    """
    while crowd.asleep:
        crowd.wake()
    for tab in crowd.tabs:
        tab.frozen = False
    trouble.end()
    for node in crowd.world.nodes:
        for room in ROOMS:
            node.step(Watched(room))
    crowd.pass_time(rest_ms(crowd.world.limits), settled=True)
    crowd.laws.at_rest()


def leave_nothing(crowd: Crowd) -> None:
    """Have everybody leave, and wait until every node has forgotten them.

    Raises:
        LawBroken: one has not.
    """
    for tab in crowd.tabs:
        crowd.drop(tab)
    for node in crowd.world.nodes:
        for name, served in list(node.engine.state.rooms.items()):
            for _ in range(served.watchers):
                node.step(Unwatched(name))
    crowd.pass_time(rest_ms(crowd.world.limits) + debt_ms(crowd.world.limits), settled=True)
    for node in crowd.world.nodes:
        state = node.engine.state
        kept = [*state.connections, *state.sessions, *state.rooms, *state.users]
        if kept or state.waiting or len(state.timers) != ((Timer.LEASE, "") in state.timers):
            raise LawBroken(
                0, f"{node.name} keeps {kept} and {len(state.timers)} timers for nobody"
            )


def rest_ms(limits: Limits) -> int:
    """Longer than anything takes to be noticed and put right, one after the other."""
    return (
        limits.lease_ms
        + 2 * limits.lease_renew_ms
        + 2 * limits.presence_grace_ms
        + 2 * limits.tips_idle_ms
        + 2 * limits.retry_cap_ms
        + limits.roster_return_ms
        + 4 * limits.occupancy_ms
        + limits.forget_ms
        + limits.unanswered_ms
    )


def debt_ms(limits: Limits) -> int:
    """How long a user's pacing debt can last."""
    return 1_000 * max(
        limits.joins_burst // limits.joins_per_s, limits.messages_burst // limits.messages_per_s
    )
