"""Entering and leaving rooms: who occupies them from this node, and which connections are attached.

A session occupies a room; a connection is attached to it. What is written to the log about that is
proposed here and takes effect when it is folded.
"""

from __future__ import annotations

from roomkit.core import facts
from roomkit.core.batch import arrive, depart
from roomkit.core.commands import JoinRoom
from roomkit.core.effects import Attach, Deliver, Detach
from roomkit.core.events import EntryEvent, RoomLeft
from roomkit.core.messages import drop_typing, stop_typing
from roomkit.core.names import check_username
from roomkit.core.policy import Action
from roomkit.core.room import Room
from roomkit.core.showing import resume, snapshot
from roomkit.core.state import (
    Batch,
    BatchItem,
    Connection,
    Depart,
    Local,
    Pace,
    Served,
    Session,
    UserState,
    Waiting,
)
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn, release_claim
from roomkit.errors import ErrorCode, Refused
from roomkit.ids import SessionId

__all__ = [
    "depart_wished",
    "detach",
    "entered",
    "in_any_room",
    "join_room",
    "leave_room",
    "left",
    "release",
    "vacate",
    "wish",
]


def join_room(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Attach at once a session that occupies the room; else propose that it enters."""
    command, session, room = waiting.command, waiting.session, served.room
    assert isinstance(command, JoinRoom) and session is not None and room is not None
    connection = _living(turn, waiting)
    if connection is None:
        turn.finish(served, waiting, None)
        return
    if _superseded(connection, waiting):
        turn.finish(served, waiting, None)
        return
    if room.tip.seq == 0 and not turn.may(session.user, served.name, Action.CREATE):
        raise Refused(ErrorCode.ROOM_NOT_FOUND, "there is no such room, and you may not create it")
    if session.id in served.sessions:
        _attach(turn, served, connection, waiting)
        return
    if room.tip.seq == 0 and waiting.charged is None:
        turn.charge(waiting, session.user, Pace.JOIN)  # nobody comes back to a room that is none
    name = _name(turn, session.user, command)
    if not room.shown:
        _settle_name(turn, session.user, name)
        _occupy(turn, served, session, name, command)
        _attach(turn, served, connection, waiting)
        return
    if room.holder(name) not in (None, session.user.user_id):
        raise _taken(name)
    waiting.claim = name
    session.user.claims += 1
    session.user.claimed = name
    arrival = facts.Arrival(session.id, session.user.user_id, name, command.meta)
    arrive(turn, batch, arrival, waiting)


def entered(turn: Turn, served: Served, item: BatchItem, waiting: Waiting) -> None:
    """Answer a join whose entry is folded: attached, or the name went to somebody before."""
    command, session, room = waiting.command, waiting.session, served.room
    assert isinstance(command, JoinRoom) and session is not None and room is not None
    name = _entered_as(room, item, session)
    assert isinstance(item.fact, facts.Entered)
    if room.shown and not room.holds(session.user.user_id, session.id, item.fact.node):
        if room.holder(name) in (None, session.user.user_id):
            _judge_again(turn, served, waiting)
        else:
            turn.refuse(served, waiting, _taken(name))
        return
    _settle_name(turn, session.user, name)
    _occupy(turn, served, session, name, command)
    connection = _living(turn, waiting)
    if connection is not None and not waiting.answered and not _superseded(connection, waiting):
        _attach(turn, served, connection, waiting)
        return
    turn.finish(served, waiting, None)
    if turn.state.sessions.get(session.id) is not session:
        vacate(turn, served, session, "dropped")
    elif connection is None or _joins_again(served, session):
        grace = turn.now + turn.limits.presence_grace_ms
        turn.state.timers.set_if_unset(Timer.GRACE, session.id, grace)
    else:
        vacate(turn, served, session, "left")


def _judge_again(turn: Turn, served: Served, waiting: Waiting) -> None:
    """A join was folded, and undone by a later entry before it could be answered."""
    release_claim(waiting)
    served.queue.appendleft(waiting)
    turn.touch(served)


def leave_room(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose that a session leaves; with the roster off it just goes."""
    session, room = waiting.session, served.room
    assert session is not None and room is not None
    user_id = session.user.user_id
    if room.holds(user_id, session.id, turn.state.node):
        depart(turn, batch, facts.Departure(session.id, user_id, "left"), waiting)
    else:
        _left(turn, served, waiting)


def left(turn: Turn, served: Served, item: BatchItem, waiting: Waiting) -> None:
    """Answer a leave whose entry is folded."""
    _left(turn, served, waiting)


def _left(turn: Turn, served: Served, waiting: Waiting) -> None:
    assert waiting.session is not None
    release(turn, served, waiting.session.id)
    turn.finish(served, waiting, RoomLeft(served.name, waiting.ref, "left"))


def depart_wished(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose that a session leaves, unless the log no longer has it at this node."""
    command, room = waiting.command, served.room
    assert isinstance(command, Depart) and room is not None
    if room.holds(command.user_id, command.session, turn.state.node):
        departure = facts.Departure(command.session, command.user_id, command.reason)
        depart(turn, batch, departure, waiting)
    else:
        turn.finish(served, waiting, None)


def vacate(turn: Turn, served: Served, session: Session, reason: str) -> None:
    """Have a session out of a room: here at once, in the log as soon as it can be written."""
    release(turn, served, session.id)
    wish(turn, served, Depart(session.id, session.user.user_id, reason))


def wish(turn: Turn, served: Served, command: Depart) -> None:
    """Queue a departure, behind what was sent before it, but ahead of the session's next join."""
    if served.room is None or served.room.shown:
        places = (
            place
            for place, waiting in enumerate(served.queue)
            if isinstance(waiting.command, JoinRoom)
            and waiting.session is not None
            and waiting.session.id == command.session
        )
        served.queue.insert(next(places, len(served.queue)), Waiting(command, turn.now))
    turn.touch(served)


def release(turn: Turn, served: Served, session_id: SessionId) -> None:
    """Let go of a local session: it no longer occupies the room from this node."""
    local = served.sessions.pop(session_id, None)
    if local is None:
        return
    session = local.session
    session.rooms.pop(served.name, None)
    connection = turn.state.connections.get(session.connection) if session.connection else None
    if connection is not None:
        detach(turn, served, connection)
    user_id = session.user.user_id
    if user_id in served.typists.by_user and not any(
        other.session.user is session.user for other in served.sessions.values()
    ):
        stop_typing(turn, served, user_id)
    elif connection is not None:
        drop_typing(turn, served, connection.id)
    turn.touch(served)


def detach(turn: Turn, served: Served, connection: Connection) -> None:
    """Stop sending the room to a connection."""
    if served.members.pop(connection.id, None) is not None:
        served.legacy -= connection.protocol == 1
        served.fresh.pop(connection.id, None)
        del connection.rooms[served.name]
        if connection.current == served.name:
            connection.current = None
        turn.emit(Detach(connection.id, served.name))


def in_any_room(turn: Turn, user: UserState) -> bool:
    """Tell whether any session of the user occupies a room from this node."""
    return any(turn.state.sessions[session].rooms for session in user.sessions)


def _attach(turn: Turn, served: Served, connection: Connection, waiting: Waiting) -> None:
    """Answer a join with a snapshot, or with what followed `since`; then the live events."""
    command = waiting.command
    assert isinstance(command, JoinRoom)
    if connection.protocol == 1:
        del connection.headings[: connection.headings.index(waiting)]
    wanted = turn.limits.history_on_join if command.history is None else command.history
    joined = snapshot(turn, served, connection, waiting.ref, wanted)
    replay: list[EntryEvent] = []
    if command.since is not None:
        joined, replay = resume(turn, served, joined, command.since)
    turn.finish(served, waiting, joined)
    for event in replay:
        turn.emit(Deliver(connection.id, event))
    if served.name not in connection.rooms:
        connection.rooms[served.name] = None
        served.members[connection.id] = connection
        served.legacy += connection.protocol == 1
        turn.emit(Attach(connection.id, served.name))
    if connection.protocol == 1:
        served.fresh[connection.id] = None
        _move(turn, served, connection)
    served.told = None  # who came has a count of another moment, or none


def _move(turn: Turn, served: Served, connection: Connection) -> None:
    """Protocol 1 is in one room: having entered this one, it leaves the one before."""
    previous, connection.current = connection.current, served.name
    before = turn.state.rooms.get(previous) if previous is not None else None
    if before is not None and before is not served and connection.session is not None:
        vacate(turn, before, connection.session, "left")


def _occupy(turn: Turn, served: Served, session: Session, name: str, command: JoinRoom) -> None:
    served.sessions[session.id] = Local(session, name, command.meta, turn.wall)
    session.rooms[served.name] = None
    if served.room is not None and not served.room.shown:
        turn.state.timers.set_if_unset(Timer.OCCUPANCY, served.name, turn.now)


def _name(turn: Turn, user: UserState, command: JoinRoom) -> str:
    """Return the name a join goes under: a guest in no room may choose it."""
    name = user.username
    if user.guest and user.claims:
        name = user.claimed or name
    elif user.guest and command.username is not None and not in_any_room(turn, user):
        name = command.username
    if not name:
        raise Refused(ErrorCode.BAD_ARGUMENT, "username is missing: send data.username")
    return check_username(name, turn.limits)


def _settle_name(turn: Turn, user: UserState, name: str) -> None:
    """A guest goes by the name of the first room entered, until in no room again."""
    if user.guest and not in_any_room(turn, user):
        user.username = name


def _entered_as(room: Room, item: BatchItem, session: Session) -> str:
    """Return the name a session entered under: the one its user has there from another tab."""
    occupant = room.roster.get(session.user.user_id)
    if occupant is not None:
        return occupant.username
    assert isinstance(item.fact, facts.Entered)
    return next(one.username for one in item.fact.arrivals if one.session == session.id)


def _taken(name: str) -> Refused:
    return Refused(ErrorCode.USERNAME_TAKEN, f"the name {name!r} is taken here: choose another")


def _living(turn: Turn, waiting: Waiting) -> Connection | None:
    connection = turn.state.connections.get(waiting.connection) if waiting.connection else None
    return None if connection is None or connection.closing else connection


def _superseded(connection: Connection, waiting: Waiting) -> bool:
    """Protocol 1 is in one room: it has entered one that it wished for later than this one."""
    return connection.protocol == 1 and waiting not in connection.headings


def _joins_again(served: Served, session: Session) -> bool:
    return any(
        waiting.session is session
        and isinstance(waiting.command, JoinRoom)
        and not waiting.answered
        for waiting in served.queue
    )
