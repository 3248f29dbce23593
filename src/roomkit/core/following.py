"""Keeping up with the log: loading rooms, reading gaps, hints from the feed, and comparing tips.

The log is the truth and every feed a hint, lossy and unordered (rules 5 and 6): what is wrong here
is found by the next entry, the next tip check, or the next interruption, whichever comes first.
"""

from __future__ import annotations

from roomkit.core import facts, signals
from roomkit.core.effects import ReadTips
from roomkit.core.events import GapTold, MessageDeleted, MessageEdited, Posted
from roomkit.core.history import History, decode_rows
from roomkit.core.inputs import Fed, LogRead, RoomLoaded, TipsRead
from roomkit.core.log import (
    absorb,
    fork,
    moved_away,
    read_on,
    resend,
    retry_later,
    send_lost_again,
    settle,
)
from roomkit.core.messages import heard_signal, heard_typing, stop_typing
from roomkit.core.presence import (
    count_anew,
    heard_occupancy,
    interrupted,
    judge_nodes,
    want,
)
from roomkit.core.reading import take_back_pages
from roomkit.core.room import Room
from roomkit.core.showing import snapshot
from roomkit.core.state import Served, StateOccupants
from roomkit.core.storage import Interrupted, RoomRecord, StoreSignal, Tip
from roomkit.core.tail import Tail
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn
from roomkit.ids import NodeId, Position

__all__ = ["fed", "loaded", "log_read", "retry_due", "tips_due", "tips_read"]


def loaded(turn: Turn, answer: RoomLoaded) -> None:
    """Begin to serve a room, or continue with it after its fold was dropped."""
    served = turn.state.rooms.get(answer.room)
    if served is None or not served.loading:
        return
    served.loading = False
    turn.touch(served)
    if answer.record is None or not _restore(turn, served, answer.record):
        retry_later(turn, served)
        return
    served.attempts = 0
    turn.state.timers.set_if_unset(Timer.TIPS, "", turn.now + turn.limits.tips_ms)
    count_anew(turn, served)
    judge_nodes(turn, served)
    reason, served.reload = served.reload, None
    if reason is not None:
        _let_go_of_moved(turn, served)
        _tell_gap(turn, served, reason)
    if reason is not None or turn.state.node in _nodes(served):
        want(turn, served, StateOccupants())
    _finish_batch(turn, served)


def log_read(turn: Turn, answer: LogRead) -> None:
    """Fold what was read on; if it does not join on to our tip, load the room again."""
    served = turn.state.rooms.get(answer.room)
    if served is None or served.room is None or not served.reading:
        return
    served.reading = False
    turn.touch(served)
    log = answer.log
    if log is None:
        retry_later(turn, served)
        return
    served.attempts = 0
    if log.at is None and (answer.after or log.first_seq > 1):
        fork(turn, served, "trimmed" if log.first_seq > answer.after else "forked")
        return
    if log.at is not None and served.tail.link_at(answer.after) not in (None, log.at.link):
        fork(turn, served, "forked")
        return
    absorb(turn, served, log.entries)
    settle(turn, served)
    if _lacks(served, log.tip):
        if log.entries:
            read_on(turn, served)
    elif served.batch is not None and served.batch.stored:
        send_lost_again(turn, served, served.batch)


def fed(turn: Turn, answer: Fed) -> None:
    """Take what the feed brings."""
    item = answer.item
    if isinstance(item, Interrupted):
        _look_again(turn)
        return
    served = turn.state.rooms.get(item.room)
    if served is None or served.room is None:
        return
    turn.touch(served)
    if isinstance(item, StoreSignal):
        _heard(turn, served, item)
    elif item.entries:
        absorb(turn, served, item.entries)
        settle(turn, served)
    else:
        read_on(turn, served)


def tips_due(turn: Turn) -> None:
    """Ask for the tips of rooms not compared lately: active ones often, idle ones rarely."""
    limits = turn.limits
    due: list[Served] = []
    for served in turn.state.rooms.values():
        if served.room is None or served.tip_asked is not None:
            continue
        idle = turn.now - served.active_at > limits.tips_idle_ms
        period = limits.tips_idle_ms if idle else limits.tips_ms
        if turn.now - served.tip_at >= period:
            served.tip_asked, served.saved_asked = served.room.tip, served.history.saved
            due.append(served)
    if due:
        turn.emit(ReadTips(tuple([served.name for served in due])))
    if turn.state.rooms:
        turn.state.timers.set(Timer.TIPS, "", turn.now + limits.tips_ms)


def tips_read(turn: Turn, answer: TipsRead) -> None:
    """Compare our tips with the store's."""
    for name in answer.rooms:
        served = turn.state.rooms.get(name)
        if served is None:
            continue
        asked, served.tip_asked = served.tip_asked, None
        if answer.tips is None or asked is None or served.room is None:
            continue
        served.tip_at = turn.now
        turn.touch(served)
        _compare(turn, served, asked, answer.tips.get(name, Tip(0, "", 0)))


def retry_due(turn: Turn, served: Served) -> None:
    """Make the room's failed call again: loading, settling its append, or reading on."""
    served.paused = False
    turn.touch(served)
    if served.room is None:
        if not served.loading:
            turn.load(served)
    elif served.batch is not None and not served.batch.stored:
        resend(turn, served)
    else:
        read_on(turn, served)


def _look_again(turn: Turn) -> None:
    """Anything may have been missed: compare every tip now."""
    for served in turn.state.rooms.values():
        interrupted(served)
        served.tip_at = turn.now - turn.limits.tips_idle_ms
    tips_due(turn)


def _lacks(served: Served, tip: Tip) -> bool:
    return served.room is not None and tip.seq > served.room.tip.seq


def _restore(turn: Turn, served: Served, record: RoomRecord) -> bool:
    """Fold a room from its record, silently; False if it cannot be read."""
    limits, kept = turn.limits, record.snapshot
    try:
        room = Room(served.name) if kept is None else Room.restore(served.name, kept)
        messages = decode_rows(record.messages)
    except ValueError:
        return False
    base = room.tip
    floor = messages[0].seq - 1 if messages else base.seq
    if room.posted == len(messages):
        floor = 0
    history = History(floor=floor, saved=base.seq)
    history.messages.extend(messages)
    tail = Tail(base)
    for entry in record.entries:
        event = room.apply(entry, facts.decode(entry.fact))
        tail.add(event, len(entry.fact), limits.replay_entries, limits.replay_bytes)
        if isinstance(event, Posted):
            history.add(event.message, limits.history_window)
        elif isinstance(event, MessageEdited | MessageDeleted):
            history.revise(event.message, event.seq)
    served.room, served.history, served.tail = room, history, tail
    take_back_pages(served)
    served.checkpoints.clear()
    served.checked = base.seq
    served.tip_at = turn.now
    return True


def _nodes(served: Served) -> set[NodeId]:
    return served.room.nodes() if served.room is not None else set()


def _let_go_of_moved(turn: Turn, served: Served) -> None:
    """What was not folded entry by entry may have moved sessions of ours to other nodes."""
    ours: set[NodeId | None] = {None, turn.state.node}
    ours |= {one.command.former for one in served.queue if isinstance(one.command, StateOccupants)}
    for session_id, local in list(served.sessions.items()):
        occupant = served.room.roster.get(local.session.user.user_id) if served.room else None
        if occupant is not None and occupant.sessions.get(session_id) not in ours:
            moved_away(turn, served, session_id)


def _tell_gap(turn: Turn, served: Served, reason: str) -> None:
    for user_id in list(served.typists.by_user):
        stop_typing(turn, served, user_id)
    turn.broadcast(served, GapTold(served.name, reason))
    for connection in served.members.values():
        joined = snapshot(turn, served, connection, None, turn.limits.history_on_join)
        turn.deliver(connection, joined)


def _finish_batch(turn: Turn, served: Served) -> None:
    """After loading: answer what the log has of our append, and try again what it lost."""
    batch = served.batch
    if batch is None:
        return
    if not batch.stored:
        if batch.uncertain and not served.paused:
            resend(turn, served)
        return
    settle(turn, served)
    if served.batch is batch and batch.stored:
        send_lost_again(turn, served, batch)


def _heard(turn: Turn, served: Served, item: StoreSignal) -> None:
    signal = signals.decode(item.payload)
    if isinstance(signal, signals.TypingSignal):
        heard_typing(turn, served, signal)
    elif isinstance(signal, signals.OccupancySignal):
        heard_occupancy(turn, served, signal)
    elif signal is not None:
        heard_signal(turn, served, signal)


def _compare(turn: Turn, served: Served, asked: Position, tip: Tip) -> None:
    """Find a fork, a lost tail or snapshot, or something to read; news since asking is no fault."""
    room = served.room
    assert room is not None
    if tip.seq < asked.seq or tip.snapshot_seq < served.saved_asked:
        fork(turn, served, "forked")
    elif tip.seq > room.tip.seq:
        read_on(turn, served)
    elif tip.seq and served.tail.link_at(tip.seq) not in (None, tip.link):
        fork(turn, served, "forked")
    else:
        served.history.kept(tip.snapshot_seq, turn.limits.history_window)
