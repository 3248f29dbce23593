"""Connections, the sessions that outlive them, and the users both belong to.

A connection is opened, heard, and closed; its session waits out a grace and then leaves every room
it occupied. This file must not know what a frame looks like or what a room does with a departure.
"""

from __future__ import annotations

from roomkit.core.effects import Renew
from roomkit.core.events import Pinged, ReconnectAdvised, Welcomed
from roomkit.core.inputs import Closed, Connected, Drain, Opened
from roomkit.core.membership import detach, in_any_room, vacate
from roomkit.core.messages import drop_typing
from roomkit.core.state import Connection, Session, UserState
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn
from roomkit.errors import CloseCode
from roomkit.ids import ConnectionId, SessionId, UserId

__all__ = [
    "closed",
    "connected",
    "drain",
    "grace_over",
    "heartbeat_due",
    "opened",
    "silent_too_long",
    "user_due",
]


def connected(turn: Turn, answer: Connected) -> None:
    """A websocket was accepted: it may be silent for a while, no longer."""
    if turn.state.draining:
        connection = Connection(answer.connection, turn.now)
        turn.state.connections[answer.connection] = connection
        turn.close(connection, CloseCode.DRAIN, "the server is restarting")
        return
    turn.state.connections[answer.connection] = Connection(answer.connection, turn.now)
    due = turn.now + turn.limits.silent_ms
    turn.state.timers.set(Timer.SILENT, answer.connection, due)


def opened(turn: Turn, answer: Opened) -> None:
    """The handshake is done: give the connection its user and session."""
    state, limits = turn.state, turn.limits
    connection = state.connections.get(answer.connection)
    if connection is None or connection.closing or connection.protocol:
        return
    state.timers.cancel(Timer.SILENT, connection.id)
    session = state.sessions.get(answer.session)
    if session is not None and session.user.user_id != answer.user.user_id:
        session = None
    replaced = session.connection if session is not None else None
    if _live_connections(turn, answer.user.user_id, replaced) >= limits.connections_per_user:
        reason = f"{limits.connections_per_user} connections are open for this user, the most"
        turn.close(connection, CloseCode.CONNECTION_LIMIT, reason)
        return
    user = _user(turn, answer)
    resumed = session is not None
    if session is None:
        taken = answer.session in state.sessions
        tab = SessionId(turn.mint()) if taken else answer.session
        session = Session(tab, user, answer.protocol, None)
        state.sessions[session.id] = session
        user.sessions[session.id] = None
    elif replaced is not None:
        _replace(turn, state.connections[replaced])
    session.connection = connection.id
    connection.session, connection.protocol = session, answer.protocol
    if answer.protocol != 1:
        state.timers.set(Timer.HEARTBEAT, connection.id, turn.now + limits.heartbeat_ms)
        turn.deliver(connection, Welcomed(user.user(), session.id, resumed, turn.wall))
    if resumed:
        state.timers.set(Timer.GRACE, session.id, turn.now + limits.presence_grace_ms)


def closed(turn: Turn, answer: Closed) -> None:
    """The connection is gone: its session begins its grace, or ends with it in protocol 1."""
    state = turn.state
    connection = state.connections.pop(answer.connection, None)
    if connection is None:
        return
    state.timers.cancel(Timer.SILENT, connection.id)
    state.timers.cancel(Timer.HEARTBEAT, connection.id)
    session = connection.session
    _leave_rooms(turn, connection)
    if session is None or session.connection != connection.id:
        return
    session.connection = None
    if session.protocol == 1 and not state.draining:
        _end(turn, session, "left")
    else:
        grace = turn.limits.presence_grace_ms
        state.timers.set(Timer.GRACE, session.id, turn.now + grace)


def grace_over(turn: Turn, session_id: SessionId) -> None:
    """Whoever is still away has left; whoever came back has left the rooms not joined again."""
    session = turn.state.sessions.get(session_id)
    if session is None:
        return
    if session.connection is None:
        _end(turn, session, "dropped")
        return
    connection = turn.state.connections[session.connection]
    for room in [room for room in session.rooms if room not in connection.rooms]:
        if room in connection.busy:
            again = turn.now + turn.limits.presence_grace_ms
            turn.state.timers.set(Timer.GRACE, session_id, again)
        else:
            vacate(turn, turn.state.rooms[room], session, "dropped")


def heartbeat_due(turn: Turn, connection_id: ConnectionId) -> None:
    """Ping a quiet connection; give it up if it stays quiet."""
    connection = turn.state.connections.get(connection_id)
    if connection is None or connection.closing:
        return
    limits, timers = turn.limits, turn.state.timers
    quiet = turn.now - connection.heard_at
    if quiet < limits.heartbeat_ms:
        due = connection.heard_at + limits.heartbeat_ms
        timers.set(Timer.HEARTBEAT, connection.id, due)
    elif not connection.pinged:
        connection.pinged = True
        turn.deliver(connection, Pinged(turn.wall))
        timers.set(Timer.HEARTBEAT, connection.id, turn.now + limits.pong_ms)
    else:
        reason = f"nothing was heard for {limits.heartbeat_ms + limits.pong_ms} ms"
        turn.close(connection, CloseCode.HEARTBEAT_TIMEOUT, reason)


def silent_too_long(turn: Turn, connection_id: ConnectionId) -> None:
    """Close a connection that never sent a frame."""
    connection = turn.state.connections.get(connection_id)
    if connection is not None:
        turn.close(connection, CloseCode.DRAIN, "no frame was sent: come back when there is one")


def user_due(turn: Turn, user_id: UserId) -> None:
    """Forget a user without sessions once no pacing debt is left."""
    user = turn.state.users.get(user_id)
    if user is None or user.sessions:
        return
    debt = max(user.message_bucket, user.join_bucket)
    if debt <= turn.now * 1000:
        del turn.state.users[user_id]
        turn.state.timers.cancel(Timer.USER, user_id)
    else:
        turn.state.timers.set(Timer.USER, user_id, -(-debt // 1000))


def drain(turn: Turn, answer: Drain) -> None:
    """Send everybody away with advice to come back.

    Sessions stay, for the lease lasts their grace.
    """
    state, limits = turn.state, turn.limits
    state.draining = True
    advice = ReconnectAdvised(0, limits.drain_jitter_ms, answer.reason)
    for connection in state.connections.values():
        if connection.protocol == 2:
            turn.deliver(connection, advice)
        turn.close(connection, CloseCode.DRAIN, answer.reason)
    state.timers.cancel(Timer.LEASE, "")
    turn.emit(Renew(state.node, limits.presence_grace_ms))


def _user(turn: Turn, answer: Opened) -> UserState:
    """Return the user, under the name now verified, or wished by a guest in no room."""
    wanted = answer.user
    user = turn.state.users.get(wanted.user_id)
    if user is None:
        user = UserState(wanted.user_id, wanted.username, wanted.guest)
        turn.state.users[wanted.user_id] = user
    elif not wanted.guest or (wanted.username and not user.claims and not in_any_room(turn, user)):
        user.username, user.guest = wanted.username, wanted.guest
    return user


def _live_connections(turn: Turn, user_id: UserId, without: ConnectionId | None) -> int:
    user = turn.state.users.get(user_id)
    if user is None:
        return 0
    live = [turn.state.sessions[session].connection for session in user.sessions]
    return sum(connection is not None and connection != without for connection in live)


def _replace(turn: Turn, older: Connection) -> None:
    """A newer connection presented the session: the older one loses it."""
    _leave_rooms(turn, older)
    older.session = None
    turn.close(older, CloseCode.SESSION_REPLACED, "this session was opened in another connection")


def _leave_rooms(turn: Turn, connection: Connection) -> None:
    for room in list(connection.rooms):
        served = turn.state.rooms[room]
        drop_typing(turn, served, connection.id)
        detach(turn, served, connection)
        turn.touch(served)


def _end(turn: Turn, session: Session, reason: str) -> None:
    """Forget a session and have it out of its rooms."""
    state = turn.state
    state.timers.cancel(Timer.GRACE, session.id)
    for room in list(session.rooms):
        served = state.rooms.get(room)
        if served is not None:
            vacate(turn, served, session, reason)
    if state.sessions.get(session.id) is session:
        del state.sessions[session.id]
    session.user.sessions.pop(session.id, None)
    if not session.user.sessions:
        user_due(turn, session.user.user_id)
