"""What stores do to people, step by step: what is slow, silent, wrong, or not there any more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from roomkit.ids import RoomId
from roomkit.testing.lives.trouble import Ending, Feed, Losing
from roomkit.testing.simulation.front import Front
from roomkit.testing.simulation.plan import Step
from roomkit.testing.simulation.stage import Stage

__all__ = ["LONGEST_MS", "STORE_FAULTS"]

LONGEST_MS = 8_000
"""Of a standstill, longer than a lease: clients give messages up after half of idempotency_ms."""

_SLOW_MS = (40, 250, 900)
_LOST_CALLS: tuple[Losing, ...] = ("unheard", "unanswered")


def _front(stage: Stage, step: Step) -> Front:
    return stage.fronts[step.who % len(stage.fronts)]


# Calls


def _slow_store(stage: Stage, step: Step) -> None:
    _front(stage, step).calls.takes_ms = _SLOW_MS[step.pick % len(_SLOW_MS)]


def _deaf_store(stage: Stage, step: Step) -> None:
    calls = _front(stage, step).calls
    if calls.takes_ms is not None:
        calls.takes_ms = None
        stage.tally.fault("deaf")
        stage.agenda.at(stage.agenda.now + LONGEST_MS, calls.hear)


def _quick_store(stage: Stage, step: Step) -> None:
    for front in stage.fronts:
        front.calls.hear()


def _lose_calls(stage: Stage, front: Front, losing: Losing) -> bool:
    """Have every call of a node be given up unanswered for a while."""
    calls = front.calls
    if calls.losing is not None:
        return False
    calls.losing, calls.takes_ms = losing, calls.takes_ms or 1
    stage.agenda.at(stage.agenda.now + LONGEST_MS, calls.hear)
    return True


def _cut_store_off(stage: Stage, step: Step) -> None:
    """A partition: one way calls do not arrive, the other way answers do not; nor does the feed."""
    front = _front(stage, step)
    if _lose_calls(stage, front, _LOST_CALLS[step.pick % 2]):
        stage.trouble.lot(front.node).silent = True
        stage.tally.fault(f"partitioned {_LOST_CALLS[step.pick % 2]}")


def _mend_store(stage: Stage, step: Step) -> None:
    """Answers come again; the node may be told that its feed had a gap."""
    for front in stage.fronts:
        if front.calls.losing is not None:
            front.calls.hear()
            if step.pick % 2 and not front.asleep:
                stage.trouble.interrupt(front.node)


def _pause_store(stage: Stage, step: Step) -> None:
    """The store stands still for every node; appends it was sent it performs when it goes on."""
    paused = [front for front in stage.fronts if _lose_calls(stage, front, "late")]
    if paused:
        stage.tally.fault("paused")


def _end_next(ending: Ending) -> Callable[[Stage, Step], None]:
    def end(stage: Stage, step: Step) -> None:
        _front(stage, step).calls.fates.append(ending)

    return end


def _never_answer(stage: Stage, step: Step) -> None:
    _front(stage, step).calls.never.append(_LOST_CALLS[step.pick % 2])


def _store_late(stage: Stage, step: Step) -> None:
    stage.trouble.store_late(_front(stage, step).node)


def _break_calls(stage: Stage, step: Step) -> None:
    _front(stage, step).calls.failures += 1 + step.pick % 2


# The feed


def _set_feed(feed: Feed) -> Callable[[Stage, Step], None]:
    def have(stage: Stage, step: Step) -> None:
        stage.trouble.set_feed(_front(stage, step).node, feed)

    return have


def _bring(stage: Stage, step: Step) -> None:
    front = _front(stage, step)
    if not front.asleep:
        stage.trouble.bring(front.node, step.pick)


def _interrupt(stage: Stage, step: Step) -> None:
    front = _front(stage, step)
    if not front.asleep:
        stage.tally.fault("interrupted")
        stage.trouble.interrupt(front.node)


# The log itself


def _copy_store(stage: Stage, step: Step) -> None:
    stage.replica.catch_up()


def _fail_over(stage: Stage, step: Step) -> None:
    """The replica becomes the store; nodes may be told that their feed had a gap."""
    if stage.replica.ready:
        stage.replica.take_over(partial(_lose_entries, stage))
        for front in list(stage.fronts) if step.pick % 2 else ():
            if not front.asleep:
                stage.trouble.interrupt(front.node)


def _lose_entries(stage: Stage, rooms: dict[RoomId, int]) -> None:
    if stage.checks.fail_over(rooms):
        stage.tally.fault("failover")


STORE_FAULTS: dict[str, Callable[[Stage, Step], None]] = {
    "slow store": _slow_store,
    "deaf store": _deaf_store,
    "quick store": _quick_store,
    "cut store off": _cut_store_off,
    "mend store": _mend_store,
    "pause store": _pause_store,
    "behind": _end_next("behind"),
    "failed": _end_next("failed"),
    "lost": _end_next("lost"),
    "unknown": _end_next("unknown"),
    "late": _end_next("late"),
    "never": _never_answer,
    "store late": _store_late,
    "broken": _break_calls,
    "feed drops": _set_feed("drops"),
    "feed holds": _set_feed("holds"),
    "feed repeats": _set_feed("repeats"),
    "feed brings": _set_feed("brings"),
    "bring": _bring,
    "interrupt": _interrupt,
    "copy store": _copy_store,
    "fail over": _fail_over,
}
