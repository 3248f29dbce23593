"""One life from its seed: chaos, then calm, then everything compared."""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.client import asks
from roomkit.core.inputs import Unwatched, Watched
from roomkit.core.timers import Timer
from roomkit.ids import RoomId
from roomkit.testing.laws import LawBroken
from roomkit.testing.lives.crowd import ROOMS
from roomkit.testing.lives.rest import debt_ms, rest_ms
from roomkit.testing.simulation.faults import FAULTS, wake
from roomkit.testing.simulation.people import PEOPLE
from roomkit.testing.simulation.plan import Setup, Step
from roomkit.testing.simulation.stage import Stage
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.world_store import Stores, memory

__all__ = ["live"]

_DOES = PEOPLE | FAULTS


def live(
    setup: Setup,
    steps: Sequence[Step],
    stores: Stores = memory,
    journal: list[str] | None = None,
) -> Tally:
    """Live a life; return what came up in it.

    Args:
        journal: gets a line for everything that happens.

    Raises:
        LawBroken: a law does not hold.
    """
    tally = Tally()
    stage = Stage(setup, tally, stores, journal)
    _begin(stage)
    for step in steps:
        if step.after:
            stage.agenda.run_until(stage.agenda.now + step.after)
        if journal is not None:
            stage.agenda.note(f"---- {step}")
        _DOES[step.do](stage, step)
    _come_to_rest(stage)
    stage.checks.rested()
    stage.checks.held.rested(stage.seats, stage.world.nodes)
    _compare_legacy(stage)
    if setup.emptied:
        _leave_nothing(stage)
    stage.checks.replay()
    return tally


def _begin(stage: Stage) -> None:
    """Start nodes, and have everybody come to the first room."""
    for _ in range(stage.setup.nodes):
        stage.start_node()
    for _ in range(stage.setup.modern):
        stage.add_seat().ask(asks.Join(ROOMS[0], meta={"n": 0}))
    for _ in range(stage.setup.legacy):
        stage.add_legacy()
    stage.agenda.run_until(200)


def _come_to_rest(stage: Stage) -> None:
    """End all trouble, and wait until nothing moves any more."""
    for front in stage.fronts:
        wake(stage, front)
        front.fates.clear()
        front.failures = 0
        front.hear_store()
    stage.trouble.end()
    for seat in stage.everybody:
        seat.reachable = True
        if seat.wire is not None and seat.wire.stalled:
            seat.wire.read_on()
    for front in stage.fronts:
        for room in ROOMS:
            front.step(Watched(room))
    for seat in stage.seats:
        seat.hint()
    limits = stage.setup.limits
    noticed = limits.heartbeat_ms + limits.pong_ms + limits.unanswered_ms
    stage.agenda.run_until(stage.agenda.now + noticed)
    for seat in stage.seats:
        seat.hint()
    stage.agenda.run_until(stage.agenda.now + rest_ms(limits))


def _compare_legacy(stage: Stage) -> None:
    """Programs of protocol 1 rest with the users there are, whatever they missed meanwhile."""
    for seat in stage.others:
        stage.tally.law(10, seat.frames)
        front = stage.front_of(seat.wire) if seat.wire is not None else None
        if seat.wire is None or front is None or seat.view.room is None:
            continue
        if seat.wire.id not in front.node.members.get(RoomId(seat.view.room), ()):
            continue  # put out of it, and told so by a user_left like anybody's
        tip = stage.checks.truth.tip(RoomId(seat.view.room))
        wanted = sorted(one.username for one in tip.roster.values())
        if sorted(seat.view.users) != wanted:
            raise LawBroken(6, f"{seat.name} rests with users {seat.view.users}, not {wanted}")
        stage.tally.seen("protocol 1")


def _leave_nothing(stage: Stage) -> None:
    """Have everybody leave; every node must forget them."""
    for seat in stage.everybody:
        seat.stop()
    for front in stage.fronts:
        for name, served in list(front.node.engine.state.rooms.items()):
            for _ in range(served.watchers):
                front.step(Unwatched(name))
    limits = stage.setup.limits
    stage.agenda.run_until(stage.agenda.now + rest_ms(limits) + debt_ms(limits))
    for front in stage.fronts:
        state = front.node.engine.state
        kept = [*state.connections, *state.sessions, *state.rooms, *state.users]
        if kept or state.waiting or len(state.timers) != ((Timer.LEASE, "") in state.timers):
            raise LawBroken(
                0, f"{front.node.name} keeps {kept} and {len(state.timers)} timers for nobody"
            )
    stage.tally.seen("left nothing")
