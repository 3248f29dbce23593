"""What the engine promises itself after every step: its tables agree, and nothing is left behind.

Numbered 0 among the laws. It reads the engine's state and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from roomkit.core.effects import Effect
from roomkit.core.inputs import Input
from roomkit.core.queue import all_waiting
from roomkit.core.state import Served, State, Waiting
from roomkit.core.timers import Timer
from roomkit.ids import ConnectionId, RoomId, SessionId
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Invariants", "disagreements"]


class Invariants(Observer):
    """Looks at a node's state after each of its steps."""

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for trouble in disagreements(node.engine.state):
            raise LawBroken(0, f"{node.name} after {input}: {trouble}")
        for room, served in node.engine.state.rooms.items():
            attached = node.members.get(room, [])
            if sorted(attached) != sorted(served.members):
                raise LawBroken(0, f"{room!r}: told {attached}, keeps {list(served.members)}")


def disagreements(state: State) -> Iterator[str]:
    """Describe everything in a node's state that contradicts something else in it."""
    yield from _counters(state)
    yield from _people(state)
    yield from _timers(state)
    for served in state.rooms.values():
        yield from _room(state, served)


def _unanswered(rooms: Iterable[Served]) -> Iterator[tuple[Served, Waiting]]:
    for served in rooms:
        for waiting in all_waiting(served):
            if not waiting.answered:
                yield served, waiting


def _counters(state: State) -> Iterator[str]:
    counted: Counter[RoomId] = Counter()
    holding: Counter[tuple[ConnectionId | None, RoomId]] = Counter()
    claims: Counter[int] = Counter()  # by user object: one who was forgotten may come again
    for served, waiting in _unanswered(state.rooms.values()):
        counted[served.name] += waiting.counted
        if waiting.holding:
            holding[waiting.connection, served.name] += 1
        if waiting.claim is not None and waiting.session is not None:
            claims[id(waiting.session.user)] += 1
    for served in state.rooms.values():
        if served.counted != counted[served.name]:
            yield f"{served.name!r} counts {served.counted} waiting, {counted[served.name]} do"
    if state.waiting != counted.total():
        yield f"the node counts {state.waiting} waiting, {counted.total()} do"
    for connection in state.connections.values():
        wanted = {room: number for (one, room), number in holding.items() if one == connection.id}
        if connection.busy != wanted:
            yield f"{connection.id} is busy with {connection.busy}, and waits for {wanted}"
    for user in state.users.values():
        waiting_claims = claims[id(user)]
        if user.claims != waiting_claims or (user.claimed is None) != (user.claims == 0):
            yield f"{user.user_id} has {user.claims} claims, {waiting_claims} wait"


def _people(state: State) -> Iterator[str]:
    for session in state.sessions.values():
        if state.users.get(session.user.user_id) is not session.user:
            yield f"{session.id} belongs to a user who is not known"
        if session.id not in session.user.sessions:
            yield f"{session.id} is not among its user's sessions"
        connection = state.connections.get(session.connection) if session.connection else None
        if session.connection is not None and (
            connection is None or connection.session is not session
        ):
            yield f"{session.id} names {session.connection}, which does not name it"
    for user in state.users.values():
        for session_id in user.sessions:
            if session_id not in state.sessions:
                yield f"{user.user_id} keeps {session_id}, which is over"
    for connection in state.connections.values():
        held = connection.session
        if held is not None and held.connection != connection.id:
            yield f"{connection.id} names {held.id}, which names {held.connection}"
        if connection.protocol == 1 and list(connection.rooms) != [
            room for room in (connection.current,) if room is not None
        ]:
            yield f"{connection.id} is in {list(connection.rooms)}, not in {connection.current}"
        for room in connection.rooms:
            if connection.id not in state.rooms[room].members:
                yield f"{connection.id} believes it is attached to {room!r}"


def _timers(state: State) -> Iterator[str]:
    alive: dict[Timer, Iterable[str]] = {
        Timer.SILENT: [one.id for one in state.connections.values() if one.session is None],
        Timer.HEARTBEAT: [one.id for one in state.connections.values() if one.protocol == 2],
        Timer.GRACE: state.sessions,
        Timer.USER: [user.user_id for user in state.users.values()],
        Timer.TIPS: ("",),
        Timer.LEASE: ("",),
    }
    known = sum(
        (timer, key) in state.timers for timer in Timer for key in alive.get(timer, state.rooms)
    )
    if known != len(state.timers):
        yield f"{len(state.timers) - known} timers are set for what is gone"


def _room(state: State, served: Served) -> Iterator[str]:
    name = served.name
    for connection_id, connection in served.members.items():
        if state.connections.get(connection_id) is not connection:
            yield f"{name!r} keeps {connection_id}, which is gone"
        if name not in connection.rooms:
            yield f"{name!r} keeps {connection_id}, which does not know it"
        if connection.session is None or connection.session.id not in served.sessions:
            yield f"{connection_id} is attached to {name!r} and does not occupy it"
    for session_id, local in served.sessions.items():
        if state.sessions.get(session_id) is not local.session or name not in local.session.rooms:
            yield f"{session_id} occupies {name!r} and is over, or does not know it"
        yield from _absence(state, served, session_id)
    for session in state.sessions.values():
        if name in session.rooms and session.id not in served.sessions:
            yield f"{session.id} believes it occupies {name!r}"
    for user_id, typist in served.typists.by_user.items():
        if typist.connection is not None and typist.connection not in served.members:
            yield f"{user_id} types in {name!r} on {typist.connection}, which is not there"
    if served.typists.by_user and (Timer.TYPING, name) not in state.timers:
        yield f"nobody will clear the typists of {name!r}"
    if served.room is None and not served.loading and (Timer.RETRY, name) not in state.timers:
        yield f"{name!r} is not loaded and never will be"
    if served.paused != ((Timer.RETRY, name) in state.timers):
        yield f"{name!r} is paused: {served.paused}, and its timer says otherwise"
    if served.batch is not None and served.batch.settled == len(served.batch.items):
        yield f"{name!r} keeps a batch that is over"
    yield from _history(served)


def _absence(state: State, served: Served, session_id: SessionId) -> Iterator[str]:
    """Whoever occupies a room without being attached is awaited for a while, not for ever."""
    session = served.sessions[session_id].session
    connection = state.connections.get(session.connection) if session.connection else None
    if connection is not None and served.name in connection.rooms:
        return
    if (Timer.GRACE, session_id) not in state.timers:
        yield f"{session_id} occupies {served.name!r} from nowhere, and nothing will end that"


def _history(served: Served) -> Iterator[str]:
    room, history = served.room, served.history
    if room is None:
        return
    seqs = [message.seq for message in history.messages]
    if seqs != sorted(set(seqs)) or (seqs and seqs[0] <= history.floor):
        yield f"{served.name!r} keeps messages {seqs} above {history.floor}"
    if history.floor > history.saved:
        yield f"{served.name!r} has let go of messages up to {history.floor}, not archived"
    tail = [event.seq for event, _ in served.tail.events]
    if tail != list(range(served.tail.base.seq + 1, room.tip.seq + 1)):
        yield f"{served.name!r} at {room.tip.seq} keeps {tail} after {served.tail.base.seq}"
