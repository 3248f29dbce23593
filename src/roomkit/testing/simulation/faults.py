"""What networks and servers do to people, step by step; the table of all faults."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from roomkit.core.effects import Append
from roomkit.core.inputs import Drain
from roomkit.testing.lives.crowd import ROOMS
from roomkit.testing.simulation.front import Front
from roomkit.testing.simulation.plan import Step
from roomkit.testing.simulation.seat import LegacySeat, Seat
from roomkit.testing.simulation.stage import Stage
from roomkit.testing.simulation.store_faults import LONGEST_MS, STORE_FAULTS

__all__ = ["FAULTS", "drain", "wake"]

_MOST_TWINS = 2
_SKEWS_MS = (0, 700, -700, 12_000, -12_000, 3_600_000, -3_600_000)


def _anybody(stage: Stage, step: Step) -> Seat | LegacySeat:
    return stage.everybody[step.who % len(stage.everybody)]


def _seat(stage: Stage, step: Step) -> Seat:
    return stage.seats[step.who % len(stage.seats)]


def _front(stage: Stage, step: Step) -> Front:
    return stage.fronts[step.who % len(stage.fronts)]


# The network


def _cut(stage: Stage, step: Step) -> None:
    """Between any two frames; the server may not hear of it before its heartbeat."""
    wire = _anybody(stage, step).wire
    if wire is None:
        return
    down, up = wire.under_way
    pick = step.pick
    stage.tally.fault("cut")
    wire.cut(pick % (down + 1), pick // 8 % (up + 1), (True, pick % 3 != 0))


def _silence(stage: Stage, step: Step) -> None:
    wire = _anybody(stage, step).wire
    if wire is not None and not wire.dead:
        stage.tally.fault("silence")
        wire.cut(0, 0, (False, False))


def _stall(stage: Stage, step: Step) -> None:
    wire = _anybody(stage, step).wire
    if wire is not None and not wire.stalled:
        stage.tally.fault("stall")
        wire.stalled = True


def _read_on(stage: Stage, step: Step) -> None:
    wire = _anybody(stage, step).wire
    if wire is not None and wire.stalled:
        wire.read_on()


def _go_away(stage: Stage, step: Step) -> None:
    seat = _anybody(stage, step)
    if seat.reachable:
        seat.reachable = False
        stage.tally.fault("unreachable")
        if seat.wire is not None:
            seat.wire.cut(0, 0, (True, step.pick % 2 == 0))


def _come_back(stage: Stage, step: Step) -> None:
    _anybody(stage, step).reachable = True


def _reload(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    stage.checks.held.reloaded(seat)
    stage.tally.fault("reload")
    stage.join(seat, seat.reload())


def _duplicate(stage: Stage, step: Step) -> None:
    if len(stage.seats) < stage.setup.modern + _MOST_TWINS:
        seat = _seat(stage, step)
        twin = stage.add_seat(seat.machine.identity, seat)
        stage.tally.fault("twin")
        stage.join(twin, list(seat.machine.view.rooms))


# Servers


def _kill(stage: Stage, step: Step) -> None:
    front = _front(stage, step)
    stage.lose(front, step.pick % 4, step.pick // 4 % 3)
    stage.tally.fault("kill")
    if not stage.fronts:
        if step.pick % 3 == 0:
            stage.agenda.run_until(stage.agenda.now + step.pick)
        stage.start_node()


def _restart(stage: Stage, step: Step) -> None:
    """A server dies and starts anew, under a new id; what it wrote last may arrive only now."""
    front = _front(stage, step)
    last = next((one for one in front.node.pending if type(one) is Append), None)
    stage.lose(front, step.pick % 4, step.pick // 4 % 3)
    stage.tally.fault("restart")
    if last is not None:
        stage.tally.fault("posthumous")
        later = stage.agenda.now + step.pick // 2
        stage.agenda.at(later, partial(_arrive, front, last))
    stage.start_node()


def _arrive(front: Front, append: Append) -> None:
    front.node.append(append)


def _drain(stage: Stage, step: Step) -> None:
    """Stop a node in good order; another has begun before, or begins when it is gone."""
    front = _front(stage, step)
    if front.asleep:
        return
    stage.tally.fault("drain")
    if len(stage.fronts) == 1 and step.pick % 2:
        stage.start_node()
    drain(stage, front)
    if not stage.fronts:
        stage.start_node()


def drain(stage: Stage, front: Front) -> None:
    """Stop a node in good order."""
    front.accepts = False
    front.step(Drain("going"))
    stage.agenda.run_until(stage.agenda.now + stage.setup.limits.close_ms)
    if front.alive:
        stage.lose(front, 10**6, 10**6)


def _start_node(stage: Stage, step: Step) -> None:
    if len(stage.fronts) < stage.setup.nodes:
        stage.start_node()


def _sleep(stage: Stage, step: Step) -> None:
    front = _front(stage, step)
    if not front.asleep:
        stage.tally.fault("sleep")
        front.asleep = True
        stage.world.nodes.remove(front.node)
        stage.agenda.at(stage.agenda.now + LONGEST_MS, lambda: wake(stage, front))


def _wake(stage: Stage, step: Step) -> None:
    sleeping = [front for front in stage.fronts if front.asleep]
    if sleeping:
        wake(stage, sleeping[0])
        if step.pick % 2:
            stage.trouble.interrupt(sleeping[0].node)


def wake(stage: Stage, front: Front) -> None:
    """Have a node go on, if it stands still."""
    if not front.asleep or front not in stage.fronts:
        return
    stage.world.nodes.append(front.node)
    front.wake_up()


def _set_clock(stage: Stage, step: Step) -> None:
    """A node's wall clock is set, forward or back, by an hour at most."""
    node, ahead = _front(stage, step).node, _SKEWS_MS[step.pick % len(_SKEWS_MS)]
    if node.ahead != ahead:
        stage.tally.fault("clock forward" if ahead > node.ahead else "clock back")
        node.ahead = ahead


def _speak_newer(stage: Stage, step: Step) -> None:
    """A newer version tells and writes what this one does not know."""
    room = ROOMS[step.pick % len(ROOMS)]
    front = _front(stage, step)
    if not front.asleep and stage.checks.truth.tip(room).seq:
        stage.newer.speak(front.node, room, stage.checks.truth.tip(room).fence, step.pick)
        stage.tally.fault("unknown fact")


FAULTS: dict[str, Callable[[Stage, Step], None]] = {
    "cut": _cut,
    "silence": _silence,
    "stall": _stall,
    "read on": _read_on,
    "go away": _go_away,
    "come back": _come_back,
    "reload": _reload,
    "duplicate": _duplicate,
    "kill": _kill,
    "drain": _drain,
    "start node": _start_node,
    "sleep": _sleep,
    "wake": _wake,
    "restart": _restart,
    "set clock": _set_clock,
    "speak newer": _speak_newer,
    **STORE_FAULTS,
}
