"""Saving a room's snapshot, and letting go of a room nobody uses.

What is saved lies behind: a checkpoint is taken every `snapshot_every` entries, and offered to the
store only when the tail no longer reaches back to it. So a node that loads the room folds, from the
snapshot on, everything that those who come back may have to be replayed. Messages are saved as they
were at the checkpoint: a store that has the checkpoint's entry may have lost later ones.
"""

from __future__ import annotations

from roomkit.core.effects import SaveRoom, Unfollow
from roomkit.core.history import encode_rows
from roomkit.core.inputs import RoomSaved
from roomkit.core.state import Checkpoint, Served
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn

__all__ = ["forget_due", "save_if_due", "saved", "watch_idleness"]

_TIMERS_OF_A_ROOM = (
    Timer.TYPING,
    Timer.LEGACY_ROSTER,
    Timer.UNANSWERED,
    Timer.RETRY,
    Timer.OCCUPANCY,
    Timer.JUDGE,
)


def save_if_due(turn: Turn, served: Served) -> None:
    """Take a checkpoint if it is time, and save the newest that nobody's replay needs.

    Called by the node that appended.
    """
    room = served.room
    if room is None:
        return
    seq, every = room.tip.seq, turn.limits.snapshot_every
    if seq - served.checked >= every and seq - served.history.saved >= every:
        served.checked = seq
        served.checkpoints.append(Checkpoint(room.snapshot(), served.history.changed(seq)))
    checkpoints = served.checkpoints
    if (
        checkpoints
        and not served.saving
        and checkpoints[0].snapshot.position.seq <= served.tail.base.seq
    ):
        _save(turn, served)


def saved(turn: Turn, answer: RoomSaved) -> None:
    """Take the store's word on a snapshot."""
    served = turn.state.rooms.get(answer.room)
    if served is not None:
        served.saving = False
        if answer.kept:
            served.history.kept(answer.position.seq, turn.limits.history_window)


def watch_idleness(turn: Turn, served: Served) -> None:
    """Begin to wait, or stop waiting, for the moment a room can be let go."""
    if not served.members and _is_idle(served):
        served.idling = True
        due = turn.now + turn.limits.forget_ms
        turn.state.timers.set_if_unset(Timer.FORGET, served.name, due)
    elif served.idling:
        served.idling = False
        turn.state.timers.cancel(Timer.FORGET, served.name)


def forget_due(turn: Turn, served: Served) -> None:
    """Let an idle room go; the log keeps what no snapshot covers."""
    if not _is_idle(served):
        return
    for timer in _TIMERS_OF_A_ROOM:
        turn.state.timers.cancel(timer, served.name)
    del turn.state.rooms[served.name]
    turn.touched.pop(served.name, None)
    turn.emit(Unfollow(served.name))


def _save(turn: Turn, served: Served) -> None:
    checkpoints, base = served.checkpoints, served.tail.base.seq
    behind = checkpoints.popleft()
    while checkpoints and checkpoints[0].snapshot.position.seq <= base:
        behind = checkpoints.popleft()
    served.saving = True
    turn.emit(SaveRoom(served.name, behind.snapshot, encode_rows(behind.messages)))


def _is_idle(served: Served) -> bool:
    return not (
        served.members
        or served.sessions
        or served.queue
        or served.batch
        or served.pages
        or served.watchers
    )
