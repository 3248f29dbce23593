"""Where the log meets the fold: outcomes of appends, entries in order, what each sets off.

Every entry passes through `_fold`, whoever appended it and however it came; answers leave only
after.
"""

from __future__ import annotations

from collections.abc import Iterable

from roomkit.core import facts
from roomkit.core.batch import send
from roomkit.core.effects import ReadLog
from roomkit.core.events import MessageDeleted, MessageEdited, Posted, RoomLeft, RosterChanged
from roomkit.core.inputs import Appended
from roomkit.core.keeping import save_if_due
from roomkit.core.membership import release
from roomkit.core.messages import stop_typing
from roomkit.core.presence import (
    new_identity,
    owe_legacy_roster,
    past_limit,
    roster_switched,
    take_back,
)
from roomkit.core.room import Room
from roomkit.core.state import Batch, Served
from roomkit.core.storage import Behind, Entry, Failed, Stored
from roomkit.core.table import SETTLED, TABLE
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn, release_claim
from roomkit.errors import CloseCode, ErrorCode, Refused
from roomkit.ids import Position, SessionId, UserId

__all__ = [
    "absorb",
    "appended",
    "fork",
    "moved_away",
    "read_on",
    "resend",
    "restart_batch",
    "retry_later",
    "send_lost_again",
    "settle",
]


def appended(turn: Turn, answer: Appended) -> None:
    """Take the outcome of a room's append."""
    served = turn.state.rooms.get(answer.room)
    batch = served.batch if served is not None else None
    if served is None or batch is None or batch.nonce != answer.nonce or batch.stored:
        return
    turn.touch(served)
    outcome = answer.outcome
    if isinstance(outcome, Stored):
        served.attempts = served.behind = 0
        _stored(turn, served, batch, outcome)
    elif isinstance(outcome, Behind):
        _behind(turn, served)
    elif isinstance(outcome, Failed) and not batch.uncertain:
        _failed(turn, served, batch)
    else:
        batch.uncertain = True
        retry_later(turn, served)


def absorb(turn: Turn, served: Served, entries: Iterable[Entry]) -> None:
    """Fold what follows the tip; skip what is older; read on after a gap; notice a fork."""
    for entry in entries:
        room = served.room
        if room is None:
            return
        tip = room.tip
        if entry.seq == tip.seq + 1:
            if tip.seq and entry.prev != tip.link:
                fork(turn, served, "forked")
            else:
                _fold(turn, served, room, entry)
        elif entry.seq > tip.seq:
            read_on(turn, served)
            return
        elif served.tail.link_at(entry.seq) not in (None, entry.link):
            fork(turn, served, "forked")


def settle(turn: Turn, served: Served) -> None:
    """Answer the commands whose entries are folded; the batch is over with its last.

    What the log has another entry in place of was lost, and is tried again. Whoever calls this has
    touched the room: its queue can go on.
    """
    batch, room = served.batch, served.room
    if batch is None or room is None or not batch.stored:
        return
    tip, items = room.tip, batch.items
    while batch.settled < len(items):
        item = items[batch.settled]
        position = item.position
        if position is None or position.seq > tip.seq:
            return
        if position != tip and not _holds(served, position):
            send_lost_again(turn, served, batch)
            return
        batch.settled += 1
        for waiting in item.waiting:
            settled = SETTLED.get(type(waiting.command))
            if settled is None:
                turn.finish(served, waiting, None)
            else:
                settled(turn, served, item, waiting)
    served.batch = None
    save_if_due(turn, served)


def _holds(served: Served, position: Position) -> bool:
    """Tell whether what we folded at a seq is this entry, as far as memory reaches."""
    return served.tail.link_at(position.seq) in (None, position.link)


def read_on(turn: Turn, served: Served) -> None:
    """Ask the store for what follows the tip."""
    if served.room is not None and not served.reading:
        served.reading = True
        turn.emit(ReadLog(served.name, served.room.tip.seq, turn.limits.replay_entries))


def fork(turn: Turn, served: Served, reason: str) -> None:
    """Drop a fold the log no longer continues, and load the room again."""
    if served.loading:
        return
    served.room = None
    served.reload = reason
    served.reading = False
    turn.load(served)


def resend(turn: Turn, served: Served) -> None:
    """Send an append whose outcome is unknown once more, unchanged."""
    if served.batch is not None and not served.batch.stored:
        send(turn, served, served.batch)


def send_lost_again(turn: Turn, served: Served, batch: Batch) -> None:
    """The store said it stored this, and the log does not have it: a failover lost it.

    Or we looked too early: sent again unchanged, it is stored once, whatever became of it.
    """
    if batch.settled:
        restart_batch(turn, served)
        return
    batch.stored, batch.uncertain = False, True
    batch.facts.clear()
    retry_later(turn, served)


def retry_later(turn: Turn, served: Served) -> None:
    """Try the room's failed call again after a pause that doubles."""
    limits = turn.limits
    delay = min(limits.retry_base_ms << min(served.attempts, 16), limits.retry_cap_ms)
    served.attempts += 1
    served.paused = True
    turn.state.timers.set(Timer.RETRY, served.name, turn.now + delay)


def restart_batch(turn: Turn, served: Served) -> None:
    """Put the unanswered commands of the batch back at the head of the queue, in order."""
    batch, served.batch = served.batch, None
    if batch is None:
        return
    again = [
        waiting
        for item in batch.items[batch.settled :]
        for waiting in item.waiting
        if not waiting.answered
    ]
    for waiting in reversed(again):
        release_claim(waiting)
        served.queue.appendleft(waiting)
    turn.touch(served)


def _stored(turn: Turn, served: Served, batch: Batch, outcome: Stored) -> None:
    items = outcome.items
    if len(items) != len(batch.items):
        raise ValueError(
            f"the store's answer is shorter or longer than the append: {len(items)} items for "
            f"{len(batch.items)} facts"
        )
    batch.stored = True
    entries: list[Entry] = []
    for item, stored in zip(batch.items, items):  # noqa: B905 - as many, as was just seen
        link = stored.link
        item.position, item.at = Position(stored.seq, link), stored.at
        if type(stored) is Entry:
            item.duplicate = False
            batch.facts[link] = item.fact
            entries.append(stored)
        else:
            item.duplicate = True
    if entries and _is_elsewhere(served, entries):
        fork(turn, served, "forked")
    absorb(turn, served, entries)
    if served.batch is batch:
        settle(turn, served)
    if served.batch is batch and served.room is not None:
        read_on(turn, served)


def _is_elsewhere(served: Served, entries: list[Entry]) -> bool:
    """Tell whether our own entries stand where we folded others: the log is another one now."""
    room, tail = served.room, served.tail
    if room is None or entries[0].seq > room.tip.seq:
        return False
    return any(
        entry.seq <= room.tip.seq and tail.link_at(entry.seq) != entry.link for entry in entries
    )


def _behind(turn: Turn, served: Served) -> None:
    restart_batch(turn, served)
    served.behind += 1
    if served.behind >= turn.limits.behind_limit:
        served.behind = 0
        head = next((one for one in served.queue if TABLE[type(one.command)].bounded), None)
        if head is not None:
            served.queue.remove(head)
            refusal = Refused(ErrorCode.OVERLOADED, "the room changes too fast: try again")
            turn.refuse(served, head, refusal)
    read_on(turn, served)


def _failed(turn: Turn, served: Served, batch: Batch) -> None:
    refusal = Refused(ErrorCode.UNAVAILABLE, "the message store cannot write just now: try again")
    for item in batch.items:
        for waiting in item.waiting:
            if TABLE[type(waiting.command)].bounded:
                turn.refuse(served, waiting, refusal)
    restart_batch(turn, served)
    retry_later(turn, served)


def _fold(turn: Turn, served: Served, room: Room, entry: Entry) -> None:
    """Fold one entry, tell everybody here, and do what it sets off."""
    limits, batch = turn.limits, served.batch
    fact = batch.facts.get(entry.link) if batch is not None else None
    if fact is None:
        fact = facts.decode(entry.fact)
    event = room.apply(entry, fact)
    served.active_at = turn.now
    served.tail.add(event, len(entry.fact), limits.replay_entries, limits.replay_bytes)
    if isinstance(event, Posted):
        served.history.add(event.message, limits.history_window)
        turn.broadcast(served, event)
        if served.typists.by_user:
            stop_typing(turn, served, event.message.user_id)
    elif isinstance(event, MessageEdited | MessageDeleted):
        served.history.revise(event.message, event.seq)
        turn.broadcast(served, event)
    else:
        _release_gone(turn, served, fact)
        turn.broadcast(served, event)
        if isinstance(event, RosterChanged):
            _roster_changed(turn, served, event, fact)
        elif isinstance(fact, facts.Moderated):
            _moderated(turn, served, fact)
    settle(turn, served)
    if type(fact) is facts.Entered and fact.all and fact.node == turn.state.node:
        take_back(turn, served, fact)
    if type(fact) is facts.NodeLost and fact.node == turn.state.node:
        new_identity(turn)


def _release_gone(turn: Turn, served: Served, fact: facts.Fact | None) -> None:
    """Let go of local sessions an entry says are no longer at this node, before it is told."""
    node = turn.state.node
    if isinstance(fact, facts.Left) and fact.node == node:
        for departure in fact.departures:
            release(turn, served, departure.session)
    elif isinstance(fact, facts.Entered) and fact.node != node:
        for arrival in fact.arrivals:
            moved_away(turn, served, arrival.session)


def moved_away(turn: Turn, served: Served, session_id: SessionId) -> None:
    """A local session entered at another node: that one has it now."""
    local = served.sessions.get(session_id)
    if local is None:
        return
    session = local.session
    connection = turn.state.connections.get(session.connection) if session.connection else None
    release(turn, served, session_id)
    if connection is not None:
        turn.close(connection, CloseCode.SESSION_REPLACED, "this session is open elsewhere")


def _roster_changed(
    turn: Turn, served: Served, event: RosterChanged, fact: facts.Fact | None
) -> None:
    if not (event.switched and event.shown):
        owe_legacy_roster(turn, served)
    for departed in event.left:
        stop_typing(turn, served, departed.user_id)
    if event.switched:
        roster_switched(turn, served)
    elif isinstance(fact, facts.Entered) and fact.node == turn.state.node:
        past_limit(turn, served)


def _moderated(turn: Turn, served: Served, fact: facts.Moderated) -> None:
    """Put out the local sessions of a kicked user, telling each."""
    if fact.action != "kick":
        return
    stop_typing(turn, served, fact.user_id)
    for session_id in _sessions_of(served, fact.user_id):
        session = served.sessions[session_id].session
        connection = turn.state.connections.get(session.connection) if session.connection else None
        told = connection is not None and served.name in connection.rooms
        release(turn, served, session_id)
        if told and connection is not None:
            turn.deliver(connection, RoomLeft(served.name, None, "kicked"))
    owe_legacy_roster(turn, served)


def _sessions_of(served: Served, user_id: UserId) -> list[SessionId]:
    return [
        session_id
        for session_id, local in served.sessions.items()
        if local.session.user.user_id == user_id
    ]
