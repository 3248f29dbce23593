"""What networks, stores and servers do to people, step by step."""

from __future__ import annotations

from collections.abc import Callable

from roomkit.core.inputs import Drain
from roomkit.testing.lives.trouble import Ending
from roomkit.testing.simulation.front import Front
from roomkit.testing.simulation.plan import Step
from roomkit.testing.simulation.seat import LegacySeat, Seat
from roomkit.testing.simulation.stage import Stage

__all__ = ["FAULTS"]

_SLOW_MS = (40, 250, 900)
_LONGEST_MS = 8_000  # of a standstill: clients give messages up after half of idempotency_ms
_MOST_SEATS = 6


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
    if len(stage.seats) < _MOST_SEATS:
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


def _drain(stage: Stage, step: Step) -> None:
    """Stop a node in good order; another has begun before, or begins when it is gone."""
    front = _front(stage, step)
    if front.asleep:
        return
    stage.tally.fault("drain")
    if len(stage.fronts) == 1 and step.pick % 2:
        stage.start_node()
    front.accepts = False
    front.step(Drain("going"))
    stage.agenda.run_until(stage.agenda.now + stage.setup.limits.close_ms)
    if front.alive:
        stage.lose(front, 10**6, 10**6)
    if not stage.fronts:
        stage.start_node()


def _start_node(stage: Stage, step: Step) -> None:
    if len(stage.fronts) < stage.setup.nodes:
        stage.start_node()


def _sleep(stage: Stage, step: Step) -> None:
    front = _front(stage, step)
    if not front.asleep:
        stage.tally.fault("sleep")
        front.asleep = True
        stage.world.nodes.remove(front.node)
        stage.agenda.at(stage.agenda.now + _LONGEST_MS, lambda: wake(stage, front))


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


# The store


def _slow_store(stage: Stage, step: Step) -> None:
    _front(stage, step).store_ms = _SLOW_MS[step.pick % len(_SLOW_MS)]


def _deaf_store(stage: Stage, step: Step) -> None:
    front = _front(stage, step)
    if front.store_ms is not None:
        front.store_ms = None
        stage.tally.fault("deaf")
        stage.agenda.at(stage.agenda.now + _LONGEST_MS, front.hear_store)


def _quick_store(stage: Stage, step: Step) -> None:
    for front in stage.fronts:
        front.hear_store()


def _end_next(ending: Ending) -> Callable[[Stage, Step], None]:
    def end(stage: Stage, step: Step) -> None:
        _front(stage, step).fates.append(ending)

    return end


def _store_late(stage: Stage, step: Step) -> None:
    stage.trouble.store_late(_front(stage, step).node)


def _break_calls(stage: Stage, step: Step) -> None:
    _front(stage, step).failures += 1 + step.pick % 2


def _drop_feed(stage: Stage, step: Step) -> None:
    stage.trouble.set_feed(_front(stage, step).node, "drops")


def _hold_feed(stage: Stage, step: Step) -> None:
    stage.trouble.set_feed(_front(stage, step).node, "holds")


def _bring_feed(stage: Stage, step: Step) -> None:
    stage.trouble.set_feed(_front(stage, step).node, "brings")


def _bring(stage: Stage, step: Step) -> None:
    front = _front(stage, step)
    if not front.asleep:
        stage.trouble.bring(front.node, step.pick)


def _interrupt(stage: Stage, step: Step) -> None:
    front = _front(stage, step)
    if not front.asleep:
        stage.tally.fault("interrupted")
        stage.trouble.interrupt(front.node)


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
    "slow store": _slow_store,
    "deaf store": _deaf_store,
    "quick store": _quick_store,
    "behind": _end_next("behind"),
    "failed": _end_next("failed"),
    "lost": _end_next("lost"),
    "unknown": _end_next("unknown"),
    "late": _end_next("late"),
    "store late": _store_late,
    "broken": _break_calls,
    "feed drops": _drop_feed,
    "feed holds": _hold_feed,
    "feed brings": _bring_feed,
    "bring": _bring,
    "interrupt": _interrupt,
}
