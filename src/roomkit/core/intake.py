"""From a connection's frame, or the host's request, to a command in a room's hands.

Checked here, in this order: that the connection is open, its frame rate, which room is meant, the
user's pacing. What depends on the room's state is judged later, in the room's queue.
"""

from __future__ import annotations

from typing import TypeGuard

from roomkit.core.commands import Command, JoinRoom, Ping, Pong, RoomCommand
from roomkit.core.effects import Answer
from roomkit.core.events import Acked, Failure, Ponged
from roomkit.core.inputs import Asked, Garbled, HostCommand, Received, Unwatched, Watched
from roomkit.core.names import check_room
from roomkit.core.queue import overload, submit
from roomkit.core.state import Connection, Pace, Served, Session, Waiting
from roomkit.core.table import TABLE
from roomkit.core.turn import Turn, failure
from roomkit.errors import CloseCode, ErrorCode, Refused
from roomkit.ids import RoomId

__all__ = ["asked", "garbled", "received", "unwatched", "watched"]


def received(turn: Turn, answer: Received) -> None:
    """Take a command from a connection."""
    connection = turn.state.connections.get(answer.connection)
    command = answer.command
    if connection is None or connection.closing:
        return
    ref = command.ref if connection.protocol != 1 else None
    if not _accept_frame(turn, connection, ref):
        return
    if not _is_for_a_room(command):
        _answer_at_once(turn, connection, command, ref)
        return
    session = connection.session
    if session is None:
        return
    try:
        _submit(turn, connection, session, command, ref)
    except Refused as refusal:
        turn.deliver(connection, failure(refusal, ref, command.room))


def garbled(turn: Turn, answer: Garbled) -> None:
    """Answer a frame that is no command; the connection stays."""
    connection = turn.state.connections.get(answer.connection)
    if connection is None or connection.closing:
        return
    ref = answer.ref if connection.protocol != 1 else None
    if _accept_frame(turn, connection, ref):
        turn.deliver(connection, Failure(answer.code, answer.message, ref, answer.room))


def asked(turn: Turn, answer: Asked) -> None:
    """Take a request of the host."""
    command: HostCommand = answer.command
    waiting = Waiting(command, turn.now, request=answer.request)
    try:
        room = check_room(command.room, turn.limits)
        _require_place(turn, room)
        served = turn.serve(room)
    except Refused as refusal:
        turn.emit(Answer(answer.request, failure(refusal, None, command.room)))
        return
    submit(turn, served, waiting)


def watched(turn: Turn, answer: Watched) -> None:
    """The host begins to watch a room."""
    turn.serve(answer.room).watchers += 1


def unwatched(turn: Turn, answer: Unwatched) -> None:
    """The host stops watching a room."""
    served = turn.state.rooms.get(answer.room)
    if served is not None and served.watchers:
        served.watchers -= 1
        turn.touch(served)


def _accept_frame(turn: Turn, connection: Connection, ref: str | None) -> bool:
    """Count a frame; refuse it if there are too many, and close after too many refused in a row."""
    connection.heard_at, connection.pinged = turn.now, False
    bucket = connection.frame_bucket
    taken = turn.frame_rate.take(bucket, turn.now)
    if taken >= 0:
        connection.frame_bucket = taken
        connection.refused = 0
        return True
    limits, per_s = turn.limits, turn.limits.frames_per_s
    connection.refused += 1
    wait = turn.frame_rate.wait_ms(bucket, turn.now)
    if connection.refused >= limits.frames_refused:
        turn.close(connection, CloseCode.TOO_MANY_FRAMES, f"more than {per_s} frames a second")
        return False
    message = f"too many frames: at most {per_s} a second; wait {wait} ms"
    turn.deliver(connection, Failure(ErrorCode.RATE_LIMITED, message, ref, None, wait))
    return False


def _is_for_a_room(command: Command) -> TypeGuard[RoomCommand]:
    return type(command) in TABLE


def _answer_at_once(turn: Turn, connection: Connection, command: Command, ref: str | None) -> None:
    if isinstance(command, Ping):
        turn.deliver(connection, Ponged(command.t, ref, turn.wall))
    elif isinstance(command, Pong) and ref is not None:
        turn.deliver(connection, Acked(ref))


def _submit(
    turn: Turn, connection: Connection, session: Session, command: RoomCommand, ref: str | None
) -> None:
    rooms, wanted = turn.state.rooms, command.room
    served = rooms.get(RoomId(wanted)) if wanted is not None else None
    if served is not None:
        room = served.name
    else:
        room = _room(turn, connection, wanted)
        served = rooms.get(room)
    waiting = Waiting(command, turn.now, connection.id, session, ref)
    waiting.member = room in connection.rooms
    if type(command) is JoinRoom:
        _check_join(turn, connection, room, command)
        _require_place(turn, room)
        if not _joins_freely(served, session, command):
            turn.charge(waiting, session.user, Pace.JOIN)
        if connection.protocol == 1:
            connection.headings.append(waiting)
        submit(turn, served if served is not None else turn.serve(room), waiting)
        return
    if served is None:
        raise _not_joined()
    pace = TABLE[type(command)].pace
    if pace is not None:
        turn.charge(waiting, session.user, pace)
    submit(turn, served, waiting)


def _require_place(turn: Turn, room: RoomId) -> None:
    """No room is loaded for a command that may not even wait for it."""
    overloaded = overload(turn, None) if room not in turn.state.rooms else None
    if overloaded is not None:
        raise overloaded


def _room(turn: Turn, connection: Connection, wanted: str | None) -> RoomId:
    """Return the room a command means, if it names none that is served here.

    Protocol 1 may leave it out once it has joined one.
    """
    if wanted is not None:
        return check_room(wanted, turn.limits)
    if connection.protocol != 1:
        raise Refused(ErrorCode.BAD_ARGUMENT, "room is missing: send data.room")
    if connection.headings:
        heading = connection.headings[-1].command
        assert isinstance(heading, JoinRoom)
        return RoomId(heading.room)
    if connection.current is None:
        raise _not_joined()
    return connection.current


def _check_join(turn: Turn, connection: Connection, room: RoomId, command: JoinRoom) -> None:
    """Refuse a page too long, and a room too many; rooms being joined count."""
    most = turn.limits.history_window
    if command.history is not None and command.history > most:
        raise Refused(ErrorCode.BAD_ARGUMENT, f"history must be from 0 to {most}")
    if connection.protocol == 1:
        return
    most, held = turn.limits.rooms_per_connection, connection.rooms.keys() | connection.busy.keys()
    if room not in held and len(held) >= most:
        raise Refused(
            ErrorCode.BAD_ARGUMENT, f"you are in {most} rooms, the most there may be: leave one"
        )


def _joins_freely(served: Served | None, session: Session, command: JoinRoom) -> bool:
    """A client that comes back is not paced: with `since`, or into a room it still occupies."""
    return command.since is not None or (served is not None and session.id in served.sessions)


def _not_joined() -> Refused:
    return Refused(ErrorCode.NOT_JOINED, "you are not in this room: send join_room first")
