"""Saving a room's snapshot, and letting go of a room nobody uses."""

from __future__ import annotations

from roomkit.core.effects import SaveRoom, Unfollow
from roomkit.core.inputs import RoomSaved
from roomkit.core.state import Served
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn

__all__ = ["forget_due", "save_if_due", "saved", "watch_idleness"]


def save_if_due(turn: Turn, served: Served) -> None:
    """Save after every `snapshot_every` entries; called by the node that appended."""
    room, reached = served.room, max(served.history.saved, served.save_tried)
    if room is not None and room.tip.seq - reached >= turn.limits.snapshot_every:
        _save(turn, served)


def saved(turn: Turn, answer: RoomSaved) -> None:
    """Take the store's word on a snapshot."""
    served = turn.state.rooms.get(answer.room)
    if served is None:
        return
    served.saving = False
    if answer.kept:
        served.history.kept(answer.position.seq, turn.limits.history_window)
    if (Timer.FORGET, served.name) not in turn.state.timers and _is_idle(served):
        _forget(turn, served)


def watch_idleness(turn: Turn, served: Served) -> None:
    """Begin to wait, or stop waiting, for the moment a room can be let go."""
    timers = turn.state.timers
    if not _is_idle(served):
        timers.cancel(Timer.FORGET, served.name)
    elif not served.saving:
        timers.set_if_unset(Timer.FORGET, served.name, turn.now + turn.limits.forget_ms)


def forget_due(turn: Turn, served: Served) -> None:
    """Let an idle room go, saving it first if it changed."""
    if not _is_idle(served):
        return
    room = served.room
    if room is not None and room.tip.seq > served.history.saved:
        _save(turn, served)
    else:
        _forget(turn, served)


def _save(turn: Turn, served: Served) -> None:
    if served.saving or served.room is None:
        return
    served.saving = True
    served.save_tried = served.room.tip.seq
    turn.emit(SaveRoom(served.name, served.room.snapshot(), served.history.rows()))


def _is_idle(served: Served) -> bool:
    return not (
        served.members
        or served.sessions
        or served.queue
        or served.batch
        or served.pages
        or served.watchers
    )


def _forget(turn: Turn, served: Served) -> None:
    for timer in (
        Timer.TYPING,
        Timer.LEGACY_ROSTER,
        Timer.UNANSWERED,
        Timer.RETRY,
        Timer.OCCUPANCY,
    ):
        turn.state.timers.cancel(timer, served.name)
    del turn.state.rooms[served.name]
    turn.touched.pop(served.name, None)
    turn.emit(Unfollow(served.name))
