"""One life from its seed: chaos, then calm, then everything compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

from roomkit.client import asks
from roomkit.core.inputs import Unwatched, Watched
from roomkit.core.timers import Timer
from roomkit.ids import RoomId
from roomkit.testing.laws import LawBroken
from roomkit.testing.lives.crowd import ROOMS
from roomkit.testing.lives.rest import debt_ms, rest_ms
from roomkit.testing.simulation.bounds import (
    Bounds,
    agreed_ms,
    caught_up_ms,
    mourned_ms,
    noticed_ms,
)
from roomkit.testing.simulation.faults import FAULTS, drain, wake
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
    if setup.nodes >= 3 and setup.modern + setup.legacy >= 8:
        tally.seen("large world")
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
    """End all trouble, and wait until nothing moves any more, holding it to each bound on the way.

    Raises:
        LawBroken: something takes too long.
    """
    for front in stage.fronts:
        wake(stage, front)
        front.calls.end()
        front.node.ahead = 0
    stage.trouble.end()
    for seat in stage.everybody:
        seat.reachable = True
        if seat.wire is not None and seat.wire.stalled:
            seat.wire.read_on()
    _upgrade(stage)
    for front in stage.fronts:
        for room in ROOMS:
            front.step(Watched(room))
    _look_again(stage)
    limits, began, nodes = stage.setup.limits, stage.agenda.now, stage.world.nodes
    bounds = Bounds(stage.checks.truth, stage.tally, nodes, stage.seats)
    waits: list[tuple[int, Callable[[], None]]] = [
        (caught_up_ms(limits), lambda: bounds.caught_up(nodes)),
        (mourned_ms(limits), lambda: bounds.mourned(nodes)),
        (noticed_ms(limits), lambda: _look_again(stage)),
        (agreed_ms(limits), lambda: None),
    ]
    for after, hold in sorted(waits, key=itemgetter(0)):
        stage.agenda.run_until(began + after)
        hold()


def _upgrade(stage: Stage) -> None:
    """Where versions are mixed, every node becomes one of the next."""
    stage.upgraded = True
    if "versions" in stage.setup.faults:
        for front in list(stage.fronts):
            if not stage.newer.is_newer(front.node):
                stage.start_node()
                drain(stage, front)


def _look_again(stage: Stage) -> None:
    """Everybody looks at the page."""
    for seat in stage.seats:
        seat.hint()


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
