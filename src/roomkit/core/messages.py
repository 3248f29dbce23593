"""Posting, typing and signalling: what people say in a room."""

from __future__ import annotations

from roomkit.core import facts, signals
from roomkit.core.batch import propose
from roomkit.core.commands import SendMessage, SendSignal
from roomkit.core.effects import Broadcast, SendToNodes
from roomkit.core.events import Acked, SignalSent, TypingStarted, TypingStopped
from roomkit.core.inputs import HostPost
from roomkit.core.names import check_text
from roomkit.core.state import Batch, BatchItem, Served, UserState, Waiting
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn
from roomkit.core.typists import Typist
from roomkit.ids import ConnectionId, UserId

__all__ = [
    "drop_typing",
    "heard_signal",
    "heard_typing",
    "host_post",
    "posted",
    "send_message",
    "send_signal",
    "stop_typing",
    "typing_expired",
    "typing_start",
    "typing_stop",
]

SYSTEM_USER = UserId("system")
SYSTEM_NAME = "System"
"""Who the host's own messages are from; the name is the seed's."""


def send_message(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose a message of a client."""
    command, user = waiting.command, _author(waiting)
    assert isinstance(command, SendMessage)
    text, user_id, key = (
        check_text(command.message, turn.limits),
        user.user_id,
        command.idempotency_key,
    )
    fact = facts.Posted(user_id, user.username, text, False, key, command.reply_to, command.meta)
    propose(batch, fact, waiting, _store_key(user_id, key))


def host_post(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose a message of the host; no pacing and no policy hold it."""
    command = waiting.command
    assert isinstance(command, HostPost)
    user_id = SYSTEM_USER if command.user is None else command.user.user_id
    fact = facts.Posted(
        user_id,
        SYSTEM_NAME if command.user is None else command.user.username,
        check_text(command.text, turn.limits),
        system=command.user is None,
        idempotency_key=command.idempotency_key,
        reply_to=command.reply_to,
        meta=command.meta,
    )
    propose(batch, fact, waiting, _store_key(user_id, command.idempotency_key))


def posted(turn: Turn, served: Served, item: BatchItem, waiting: Waiting) -> None:
    """Acknowledge a message that is in the log and folded."""
    event = None
    if waiting.ref is not None or waiting.request is not None:
        event = Acked(waiting.ref or "", served.name, item.position, item.at, item.duplicate)
    turn.finish(served, waiting, event)


def typing_start(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Show that a user types, unless it was shown just now."""
    user = _author(waiting)
    typist = (user.user_id, user.username, waiting.connection)
    here = waiting.connection in turn.state.connections
    if here and _note_typing(turn, served, *typist, waiting.at):
        _tell_nodes(turn, served, user.user_id, user.username, active=True)
    _acknowledge(turn, served, waiting)


def typing_stop(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Show that a user no longer types."""
    user = _author(waiting)
    if stop_typing(turn, served, user.user_id):
        _tell_nodes(turn, served, user.user_id, user.username, active=False)
    _acknowledge(turn, served, waiting)


def stop_typing(turn: Turn, served: Served, user_id: UserId) -> bool:
    """Clear a typist and tell the room; False if that user was not typing."""
    typist = served.typists.stop(user_id)
    if typist is None:
        return False
    event = TypingStopped(served.name, user_id, typist.username, *_typing_now(turn, served))
    turn.emit(Broadcast(served.name, event, _own_legacy(served, user_id)))
    return True


def drop_typing(turn: Turn, served: Served, connection: ConnectionId) -> None:
    """Clear who typed on a connection that has gone; other nodes cannot see that it has."""
    for user_id in served.typists.of_connection(connection):
        username = served.typists.by_user[user_id].username
        stop_typing(turn, served, user_id)
        _tell_nodes(turn, served, user_id, username, active=False)


def typing_expired(turn: Turn, served: Served) -> None:
    """Clear those whose time is up, and wait for the next."""
    for user_id in served.typists.expired(turn.now):
        stop_typing(turn, served, user_id)
    expiry = served.typists.next_expiry
    if expiry is not None:
        turn.state.timers.set(Timer.TYPING, served.name, expiry)


def send_signal(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Pass a client's signal on to everybody here and on other nodes."""
    command, user = waiting.command, _author(waiting)
    assert isinstance(command, SendSignal)
    passed = signals.PassedOn(user.user_id, user.username, command.name, command.payload)
    heard_signal(turn, served, passed)
    turn.emit(SendToNodes(served.name, signals.encode(passed)))
    _acknowledge(turn, served, waiting)


def heard_signal(turn: Turn, served: Served, signal: signals.PassedOn) -> None:
    """Show a signal, whichever node it came from."""
    turn.broadcast(
        served,
        SignalSent(served.name, signal.user_id, signal.username, signal.name, signal.payload),
    )


def heard_typing(turn: Turn, served: Served, signal: signals.TypingSignal) -> None:
    """Take another node's word on a typist, unless something later of that user is folded."""
    if not signal.active:
        stop_typing(turn, served, signal.user_id)
    elif not served.tail.spoke_since(signal.user_id, signal.seq):
        _note_typing(turn, served, signal.user_id, signal.username, None, turn.now)


def _note_typing(
    turn: Turn,
    served: Served,
    user_id: UserId,
    username: str,
    connection: ConnectionId | None,
    reached_at: int,
) -> bool:
    until = reached_at + turn.limits.typing_expiry_ms
    if until <= turn.now:
        return False
    typist = Typist(username, turn.now, until, connection)
    if not served.typists.start(user_id, typist, turn.limits.typing_resend_ms):
        return False
    turn.state.timers.set(Timer.TYPING, served.name, served.typists.next_expiry or until)
    event = TypingStarted(served.name, user_id, username, *_typing_now(turn, served))
    turn.emit(Broadcast(served.name, event, _own_legacy(served, user_id)))
    return True


def _tell_nodes(
    turn: Turn, served: Served, user_id: UserId, username: str, *, active: bool
) -> None:
    seq = served.room.tip.seq if served.room is not None else 0
    payload = signals.encode(signals.TypingSignal(user_id, username, active, seq))
    turn.emit(SendToNodes(served.name, payload))


def _typing_now(turn: Turn, served: Served) -> tuple[tuple[str, ...], int, int]:
    """Return names, total and expiry, as typing events end with."""
    limits, typists = turn.limits, served.typists
    return typists.names(limits.typing_names), len(typists.by_user), limits.typing_expiry_ms


def _own_legacy(served: Served, user_id: UserId) -> tuple[ConnectionId, ...]:
    """Return the user's protocol-1 connections here: those are not sent their own typing."""
    return tuple(
        connection.id
        for connection in served.members.values()
        if connection.protocol == 1
        and connection.session is not None
        and connection.session.user.user_id == user_id
    )


def _author(waiting: Waiting) -> UserState:
    assert waiting.session is not None, "a client's command belongs to a session"
    return waiting.session.user


def _acknowledge(turn: Turn, served: Served, waiting: Waiting) -> None:
    turn.finish(served, waiting, Acked(waiting.ref, served.name) if waiting.ref else None)


def _store_key(user_id: UserId, key: str | None) -> str | None:
    return None if key is None else f"{user_id}\x1f{key}"
