"""One queue per room: commands wait in arrival order and are judged against the room as folded.

At most one append per room is in flight. When it is answered, the queue is judged from the head and
what is accepted becomes the next append. Commands of a session with an unanswered join, leave or
page are passed over, in order, and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator

from roomkit.core.batch import seal
from roomkit.core.state import Batch, Connection, Served, Session, Waiting
from roomkit.core.table import TABLE, Row
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn
from roomkit.errors import ErrorCode, Refused
from roomkit.ids import SessionId

__all__ = ["all_waiting", "overload", "pump", "put_off", "submit", "unanswered"]

_UNANSWERED = Timer.UNANSWERED  # named here for every command: a member of an enum is slow to find

_NO_BATCH = Batch()
"""For handlers of rows that are not queued: they never propose."""


def submit(turn: Turn, served: Served, waiting: Waiting) -> None:
    """Judge a command at once, or queue it if it must wait its turn."""
    row = TABLE[type(waiting.command)]
    waits = row.queued or served.room is None or _is_busy(turn, served, waiting)
    bounded = row.bounded
    if bounded:
        overloaded = overload(turn, served) if waits else None
        if overloaded is not None:
            turn.refuse(served, waiting, overloaded)
            return
        waiting.counted = True
        served.counted += 1
        turn.state.waiting += 1
    if row.holds:
        _hold(turn, served, waiting)
    if waits:
        served.queue.append(waiting)
        turn.touch(served)
    else:
        _judge(turn, served, waiting, row, _NO_BATCH)
    if bounded and not waiting.answered:
        due = turn.now + turn.limits.unanswered_ms
        turn.state.timers.set_if_unset(_UNANSWERED, served.name, due)


def overload(turn: Turn, served: Served | None) -> Refused | None:
    """Return the refusal of one command more, if as many wait as may; None: not served yet."""
    limits = turn.limits
    full = served is not None and served.counted >= limits.waiting_per_room
    if full or turn.state.waiting >= limits.waiting_per_node:
        return Refused(ErrorCode.OVERLOADED, "too many commands are waiting: try again later")
    return None


def pump(turn: Turn, served: Served) -> None:
    """Judge what waits, if nothing is in flight, and send what was accepted as one append."""
    room, queue = served.room, served.queue
    if not queue or room is None or served.batch or served.reading or served.paused:
        return
    batch = Batch()
    held: set[SessionId | None] = set()
    if served.pages:
        held.update([_session(paging.waiting) for paging in served.pages.values()])
    passed: list[Waiting] = []
    while queue and not batch.control:
        waiting = queue.popleft()
        if waiting.answered:
            continue
        if held and waiting.session is not None and waiting.session.id in held:
            passed.append(waiting)
            continue
        row = TABLE[type(waiting.command)]
        if row.alone and batch.items:
            queue.appendleft(waiting)
            break
        _judge(turn, served, waiting, row, batch)
        if row.alone and batch.items:
            break
        if row.holds and not waiting.answered:
            held.add(_session(waiting))
    if passed:
        queue.extendleft(reversed(passed))
    if batch.items:
        seal(turn, served, batch, room)


def put_off(turn: Turn, served: Served) -> None:
    """Judge what waits at the end of this moment, with whatever else has come by then."""
    if served.queue and served.batch is None:
        turn.state.timers.set_if_unset(Timer.JUDGE, served.name, turn.now)


def all_waiting(served: Served) -> Iterator[Waiting]:
    """Yield what waits for its turn, for its append, or for its page."""
    yield from served.queue
    if served.batch is not None:
        for item in served.batch.items:
            yield from item.waiting
    for paging in served.pages.values():
        yield paging.waiting


def unanswered(turn: Turn, served: Served) -> None:
    """Tell those who have waited too long; what is in flight is settled all the same."""
    limits = turn.limits
    refusal = Refused(
        ErrorCode.UNAVAILABLE,
        "no answer from the message store: it may have been stored; send again with the same key",
    )
    next_due: int | None = None
    for one in list(all_waiting(served)):
        if one.answered or not one.counted:
            continue
        due = one.at + limits.unanswered_ms
        if due <= turn.now:
            turn.refuse(served, one, refusal)
        else:
            next_due = due if next_due is None else min(next_due, due)
    served.pages = {
        number: paging for number, paging in served.pages.items() if not paging.waiting.answered
    }
    if next_due is not None:
        turn.state.timers.set(Timer.UNANSWERED, served.name, next_due)
    turn.touch(served)


def _judge(turn: Turn, served: Served, waiting: Waiting, row: Row, batch: Batch) -> None:
    """Check a row's preconditions, then run its handler; a refusal changes nothing."""
    session = waiting.session
    try:
        if session is not None:
            if row.joined:
                _require_joined(turn, served, waiting)
            if row.action is not None:
                turn.require(session.user, served.name, row.action)
        row.handler(turn, served, waiting, batch)
    except Refused as refusal:
        turn.refuse(served, waiting, refusal)


def _require_joined(turn: Turn, served: Served, waiting: Waiting) -> None:
    """Its connection must be attached, or have been: what is sent before leaving counts."""
    assert waiting.session is not None and waiting.connection is not None
    connection = turn.state.connections.get(waiting.connection)
    if connection is not None and served.name in connection.rooms:
        return
    gone = connection is None or (connection.protocol == 1 and connection.current is not None)
    if not (gone and waiting.member and _is_still_there(turn, served, waiting.session)):
        raise Refused(ErrorCode.NOT_JOINED, "you are not in this room: send join_room first")


def _is_still_there(turn: Turn, served: Served, session: Session) -> bool:
    """Tell whether the log still has a session whose departure may be waiting behind this."""
    room = served.room
    assert room is not None
    return not room.shown or room.holds(session.user.user_id, session.id, turn.state.node)


def _session(waiting: Waiting) -> SessionId | None:
    return waiting.session.id if waiting.session is not None else None


def _is_busy(turn: Turn, served: Served, waiting: Waiting) -> bool:
    connection = _connection(turn, waiting)
    return connection is not None and served.name in connection.busy


def _hold(turn: Turn, served: Served, waiting: Waiting) -> None:
    """Have later commands of its connection in this room wait."""
    connection = _connection(turn, waiting)
    if connection is not None:
        waiting.holding = True
        connection.busy[served.name] = connection.busy.get(served.name, 0) + 1


def _connection(turn: Turn, waiting: Waiting) -> Connection | None:
    return turn.state.connections.get(waiting.connection) if waiting.connection else None
