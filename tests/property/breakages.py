"""Ways to break a law on purpose: each replaces one function of the engine, or of the store.

The docstrings say what goes wrong then. Tests hand in their `monkeypatch`.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import pytest

from roomkit.core import (
    engine,
    facts,
    following,
    log,
    membership,
    messages,
    presence,
    queue,
    revisions,
    sessions,
)
from roomkit.core.batch import propose, seal, send
from roomkit.core.effects import Append, Attach, Broadcast, Deliver
from roomkit.core.events import Acked, EntryEvent, Event, GapTold, Posted, RosterListed
from roomkit.core.history import History
from roomkit.core.inputs import Closed, LapsedFound
from roomkit.core.pacing import Rate
from roomkit.core.room import Room
from roomkit.core.state import Batch, BatchItem, Connection, LoseNode, Served, Waiting
from roomkit.core.storage import Entry, MessageRow, Outcome, Snapshot, Stored
from roomkit.core.table import TABLE
from roomkit.core.tail import Tail
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn
from roomkit.ids import NodeId, Position, UserId, message_position
from roomkit.limits import Limits
from roomkit.runtime.outbox import Outbox
from roomkit.runtime.tokens import Tokens
from roomkit.stores.memory import MemoryStore
from roomkit.stores.memory_room import MemoryRoom
from roomkit.wire.encoding import encode_event
from roomkit.wire.legacy_encoding import encode_legacy

Break = Callable[[pytest.MonkeyPatch], None]


def forget_a_member(patch: pytest.MonkeyPatch) -> None:
    """Messages are not sent to whoever attached first."""

    def broadcast(turn: Turn, served: Served, event: Event, protocol: int | None = None) -> None:
        first = tuple(served.members)[:1] if isinstance(event, Posted) else ()
        turn.emit(Broadcast(served.name, event, first, protocol))

    patch.setattr(Turn, "broadcast", broadcast)


def replay_too_little(patch: pytest.MonkeyPatch) -> None:
    """A replay stops one entry short."""
    after = Tail.after

    def shortened(tail: Tail, position: Position) -> Any:
        events = after(tail, position)
        return events[:-1] if events else events

    patch.setattr(Tail, "after", shortened)


def replay_what_there_is(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes back after a restart is sent what the node has, without a word of the rest."""

    def partial(tail: Tail, position: Position) -> list[EntryEvent]:
        return [event for event, _ in tail.events if event.seq > position.seq]

    patch.setattr(Tail, "after", partial)


def lose_keys(patch: pytest.MonkeyPatch) -> None:
    """The store is not told of idempotency keys."""
    patch.setattr(messages, "_store_key", lambda user_id, key: None)


def acknowledge_at_once(patch: pytest.MonkeyPatch) -> None:
    """A message is acknowledged when it is sent to the store."""
    propose = messages.send_message

    def early(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
        propose(turn, served, waiting, batch)
        assert served.room is not None
        place = Position(served.room.tip.seq + 1, "0" * 16)
        turn.finish(served, waiting, Acked(waiting.ref or "", served.name, place))

    _replace_row(patch, messages.send_message, early)


def snapshot_of_yesterday(patch: pytest.MonkeyPatch) -> None:
    """A snapshot lacks the newest message."""
    newest = History.newest

    def without_one(history: History, count: int) -> Any:
        return newest(history, count)[:-1]

    patch.setattr(History, "newest", without_one)


def page_the_old_form(patch: pytest.MonkeyPatch) -> None:
    """What was edited since the last snapshot is shown as the archive has it."""
    patch.setattr(History, "newest_form", lambda history, message: message)


def forget_the_departed(patch: pytest.MonkeyPatch) -> None:
    """Protocol 1 is not sent the list of users when it changes."""
    patch.setitem(engine._TIMERS, Timer.LEGACY_ROSTER, lambda turn, key: None)


def count_no_more(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes back is left with the number of users of before."""
    attach = membership._attach

    def without_count(turn: Turn, served: Served, connection: Connection, waiting: Waiting) -> None:
        told = served.told
        attach(turn, served, connection, waiting)
        served.told = told

    patch.setattr(membership, "_attach", without_count)


def type_for_ever(patch: pytest.MonkeyPatch) -> None:
    """Nobody's typing expires."""

    def later(turn: Turn, key: str) -> None:
        turn.state.timers.set(Timer.TYPING, key, turn.now + 600_000)

    patch.setitem(engine._TIMERS, Timer.TYPING, later)


def type_while_speaking(patch: pytest.MonkeyPatch) -> None:
    """A message does not end its author's typing."""
    patch.setattr(log, "stop_typing", lambda turn, served, user_id: False)


def no_grace(patch: pytest.MonkeyPatch) -> None:
    """Whoever drops has left."""
    closed = sessions.closed

    def hasty(turn: Turn, answer: Closed) -> None:
        connection = turn.state.connections.get(answer.connection)
        session = connection.session if connection is not None else None
        closed(turn, answer)
        if session is not None and session.connection is None:
            sessions.grace_over(turn, session.id)

    patch.setitem(engine._HANDLERS, Closed, hasty)


def mourn_nobody(patch: pytest.MonkeyPatch) -> None:
    """Nodes that died are not noticed."""
    patch.setitem(engine._HANDLERS, LapsedFound, lambda turn, answer: None)


def mourn_at_once(patch: pytest.MonkeyPatch) -> None:
    """The store calls every lease lapsed."""

    async def lapsed(store: MemoryStore, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        return list(nodes)

    patch.setattr(MemoryStore, "lapsed", lapsed)


def forget_who_is_who(patch: pytest.MonkeyPatch) -> None:
    """Every server has a secret of its own."""
    init, count = Tokens.__init__, itertools.count()

    def salted(tokens: Tokens, secret: bytes) -> None:
        init(tokens, b"%s %d" % (secret, next(count)))

    patch.setattr(Tokens, "__init__", salted)


def hoard(patch: pytest.MonkeyPatch) -> None:
    """Outboxes have no limits."""
    patch.setattr(Outbox, "_relieve", lambda outbox: None)


def shed_what_must_stay(patch: pytest.MonkeyPatch) -> None:
    """Above the hard limit what waits is dropped, and the connection lives on."""

    def forgetful(outbox: Outbox) -> None:
        if outbox.waiting > outbox._hard:
            outbox._queue = []
            outbox.waiting = outbox._flying_bytes

    patch.setattr(Outbox, "_relieve", forgetful)


def speak_the_newer_language(patch: pytest.MonkeyPatch) -> None:
    """Protocol 1 is sent the frames of protocol 2 where it has none of its own."""

    def newer(event: Event, limits: Limits) -> tuple[bytes, ...]:
        return encode_legacy(event, limits) or (encode_event(event, limits),)

    patch.setattr("roomkit.wire.codec.encode_legacy", newer)


def attach_early(patch: pytest.MonkeyPatch) -> None:
    """A joiner is attached as soon as the store is asked."""
    join = membership.join_room

    def early(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
        join(turn, served, waiting, batch)
        if not waiting.answered and waiting.connection is not None:
            turn.emit(Attach(waiting.connection, served.name))

    _replace_row(patch, membership.join_room, early)


def answer_twice(patch: pytest.MonkeyPatch) -> None:
    """An ack is sent twice."""
    deliver = Turn.deliver

    def twice(turn: Turn, connection: Connection, event: Event) -> None:
        deliver(turn, connection, event)
        if isinstance(event, Acked):
            deliver(turn, connection, event)

    patch.setattr(Turn, "deliver", twice)


def lose_answers(patch: pytest.MonkeyPatch) -> None:
    """Whoever asks for the users of a room is not answered."""
    deliver = Turn.deliver

    def silent(turn: Turn, connection: Connection, event: Event) -> None:
        if not isinstance(event, RosterListed):
            deliver(turn, connection, event)

    patch.setattr(Turn, "deliver", silent)


def keep_the_charge(patch: pytest.MonkeyPatch) -> None:
    """What was refused is paid for all the same."""
    patch.setattr(Rate, "refund", lambda rate, bucket: bucket)


def judge_the_last_first(patch: pytest.MonkeyPatch) -> None:
    """The queue is a stack."""
    pump = queue.pump

    def backwards(turn: Turn, served: Served) -> None:
        if served.room is not None and not (served.batch or served.reading or served.paused):
            served.queue = deque(reversed(served.queue))
        pump(turn, served)

    patch.setattr(queue, "pump", backwards)


def roll_dice(patch: pytest.MonkeyPatch) -> None:
    """Nonces depend on more than what came in."""
    count = itertools.count()

    def chancy(turn: Turn, served: Served, batch: Batch) -> None:
        served.batch = batch
        assert batch.nonce is not None
        turn.state.appends += next(count) % 2
        batch.nonce = msgspec.structs.replace(batch.nonce, counter=turn.state.appends)
        send(turn, served, batch)

    patch.setattr("roomkit.core.batch.send", chancy)


def tell_one_something_else(patch: pytest.MonkeyPatch) -> None:
    """Whoever attached first is sent another text than everybody."""

    def broadcast(turn: Turn, served: Served, event: Event, protocol: int | None = None) -> None:
        first = tuple(served.members)[:1] if isinstance(event, Posted) else ()
        for connection in first:
            assert isinstance(event, Posted)
            lie = msgspec.structs.replace(event.message, text="something else")
            turn.emit(Deliver(connection, Posted(event.room, lie)))
        turn.emit(Broadcast(served.name, event, first, protocol))

    patch.setattr(Turn, "broadcast", broadcast)


def climb_the_fence(patch: pytest.MonkeyPatch) -> None:
    """The store takes what was judged before a control fact, unless that is such a fact itself."""
    append = MemoryRoom.append

    def careless(room: MemoryRoom, wanted: Append, now: int) -> Outcome:
        if wanted.control:
            return append(room, wanted, now)
        return append(room, msgspec.structs.replace(wanted, fence=room._fence), now)

    patch.setattr(MemoryRoom, "append", careless)


def raise_the_dead(patch: pytest.MonkeyPatch) -> None:
    """A deleted message may be edited."""
    target = revisions._target

    def alive(turn: Turn, served: Served, waiting: Waiting, command: Any) -> Any:
        position = message_position(command.id)
        found = served.history.find(position.seq) if position is not None else None
        if found is not None and found.deleted is not None:
            return msgspec.structs.replace(found, deleted=None)
        return target(turn, served, waiting, command)

    patch.setattr(revisions, "_target", alive)


def let_anybody_speak(patch: pytest.MonkeyPatch) -> None:
    """Whoever was put out of a room may go on speaking there."""
    patch.setattr(queue, "_require_joined", lambda turn, served, waiting: None)


def fold_what_does_not_join_on(patch: pytest.MonkeyPatch) -> None:
    """Nodes do not look at links: after a failover they go on as if it were the same log."""

    def absorb(turn: Turn, served: Served, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if served.room is not None and entry.seq == served.room.tip.seq + 1:
                log._fold(turn, served, served.room, entry)
            elif served.room is not None and entry.seq > served.room.tip.seq:
                log.read_on(turn, served)

    patch.setattr(log, "absorb", absorb)
    patch.setattr(following, "absorb", absorb)


def tell_no_gap(patch: pytest.MonkeyPatch) -> None:
    """After a failover members are sent a snapshot, and not that there was a gap."""
    tell = following._tell_gap

    def silent(turn: Turn, served: Served, reason: str) -> None:
        before = len(turn.effects)
        tell(turn, served, reason)
        turn.effects[before:] = [
            one
            for one in turn.effects[before:]
            if not (isinstance(one, Broadcast) and isinstance(one.event, GapTold))
        ]

    patch.setattr(following, "_tell_gap", silent)


def look_seldom(patch: pytest.MonkeyPatch) -> None:
    """Nodes compare tips a tenth as often as they should."""
    look = engine._TIMERS[Timer.TIPS]

    def seldom(turn: Turn, key: str) -> None:
        look(turn, key)
        if turn.state.rooms:
            turn.state.timers.set(Timer.TIPS, "", turn.now + 10 * turn.limits.tips_ms)

    patch.setitem(engine._TIMERS, Timer.TIPS, seldom)


def mourn_late(patch: pytest.MonkeyPatch) -> None:
    """The store calls no lease lapsed for a while after it has."""
    lapsed = MemoryStore.lapsed

    async def late(store: MemoryStore, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        now = store._shared.clock()
        found = await lapsed(store, nodes)
        return [node for node in found if store._shared.leases.get(node, 0) + 15 < now]

    patch.setattr(MemoryStore, "lapsed", late)


def mourn_twice(patch: pytest.MonkeyPatch) -> None:
    """Whoever finds a node lost writes that down, whether or not somebody has."""

    def lose_node(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
        assert isinstance(waiting.command, LoseNode)
        propose(batch, facts.NodeLost(waiting.command.node), waiting)

    _replace_row(patch, presence.lose_node, lose_node)


def skip_a_seq(patch: pytest.MonkeyPatch) -> None:
    """Now and then the store leaves a seq out."""
    store, count = MemoryRoom._store, itertools.count(1)

    def sloppy(room: MemoryRoom, append: Append, now: int) -> Stored:
        room.tip_seq += next(count) % 20 == 0
        return store(room, append, now)

    patch.setattr(MemoryRoom, "_store", sloppy)


def trim_too_much(patch: pytest.MonkeyPatch) -> None:
    """The store trims past the snapshot."""
    trim = MemoryRoom._trim

    def greedy(room: MemoryRoom, now: int) -> None:
        trim(room, now)
        del room._log[:-1]

    patch.setattr(MemoryRoom, "_trim", greedy)


def save_over_what_is_newer(patch: pytest.MonkeyPatch) -> None:
    """The store takes any snapshot for as good as the one it has."""
    save = MemoryRoom.save

    def careless(
        room: MemoryRoom, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        kept = room._snapshot
        if kept is not None and kept.format > snapshot.format:
            room._snapshot = msgspec.structs.replace(kept, format=snapshot.format)
        return save(room, snapshot, messages, now)

    patch.setattr(MemoryRoom, "save", careless)


def put_words_into_the_log(patch: pytest.MonkeyPatch) -> None:
    """With some messages a node writes one that nobody sent."""
    count = itertools.count(1)

    def haunted(turn: Turn, served: Served, batch: Batch, room: Room) -> None:
        if not batch.control and next(count) % 20 == 0:
            ghost = facts.Posted(UserId("u-ghost"), "ghost", "boo")
            batch.items.append(BatchItem(ghost, None, []))
        seal(turn, served, batch, room)

    patch.setattr("roomkit.core.queue.seal", haunted)


def lose_count(patch: pytest.MonkeyPatch) -> None:
    """Commands that were answered still count as waiting."""
    finish = Turn.finish

    def sloppy(turn: Turn, served: Served, waiting: Waiting, event: Event | None) -> None:
        served.counted += not waiting.answered and waiting.counted
        finish(turn, served, waiting, event)

    patch.setattr(Turn, "finish", sloppy)


def _replace_row(patch: pytest.MonkeyPatch, handler: Any, broken: Any) -> None:
    """Put a broken handler into the command table in place of the real one."""
    for command, row in list(TABLE.items()):
        if row.handler is handler:
            patch.setitem(TABLE, command, msgspec.structs.replace(row, handler=broken))
