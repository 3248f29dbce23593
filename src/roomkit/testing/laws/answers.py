"""Laws 3, 4 and 12: one answer to every ref, what an ack promises, refusals that change nothing."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import msgspec

from roomkit.core.commands import (
    Command,
    DeleteMessage,
    EditMessage,
    GetHistory,
    GetUsers,
    JoinRoom,
    LeaveRoom,
    Ping,
    SendMessage,
)
from roomkit.core.effects import Answer, Append, Close, Deliver, Effect
from roomkit.core.events import (
    Acked,
    Event,
    Failure,
    HistoryListed,
    MessageDeleted,
    MessageEdited,
    Ponged,
    Posted,
    RoomJoined,
    RoomLeft,
    RosterListed,
)
from roomkit.core.inputs import Asked, Closed, Garbled, Input, Received, Tick
from roomkit.core.names import name_key
from roomkit.core.state import State
from roomkit.core.storage import Entry, Outcome
from roomkit.core.timers import Timer
from roomkit.errors import ErrorCode
from roomkit.ids import ConnectionId, Position, RequestId, RoomId, SessionId, UserId, message_id
from roomkit.limits import Limits
from roomkit.testing.clock import ManualClock
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.laws.truth import Truth
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Answers"]

_ANSWERS: dict[type, type] = {
    JoinRoom: RoomJoined,
    LeaveRoom: RoomLeft,
    GetHistory: HistoryListed,
    GetUsers: RosterListed,
    Ping: Ponged,
}


@dataclass(frozen=True)
class _Sent:
    """A command waiting for its answer.

    Attributes:
        acked: the newest seq acknowledged in its room before.
        inside: its session occupied the room already.
        at: when it was sent.
    """

    command: Command
    user: UserId
    session: SessionId
    acked: int
    inside: bool
    at: int


class Answers(Observer):
    """Counts answers, and holds each ack to its word.

    Args:
        every: of so many commands one is compared with the state before it, if it was refused.
            Writing that state down takes longer than the step.

    Attributes:
        answered: commands that were.
        compared: refused commands after which the state was compared.
        held, repeated: acks of messages held to the log; those that said `duplicate`.
    """

    sent_kinds = frozenset(kind for kind in get_args(Event) if "ref" in kind.__struct_fields__)
    stepping_kinds = frozenset({Closed, Asked, Garbled, Received})
    stepped_kinds = frozenset({Answer, Close, Received, Tick})

    def __init__(self, truth: Truth, limits: Limits, clock: ManualClock, every: int = 1) -> None:
        self.answered = self.compared = self.held = self.repeated = 0
        self._every = every
        self._received = 0
        self._said: Counter[tuple[RoomId, UserId, str | None, str]] = Counter()
        self._truth = truth
        self._limits = limits
        self._clock = clock
        self._waiting: dict[ConnectionId, dict[str, _Sent]] = {}
        self._asked: dict[str, set[RequestId]] = {}
        self._acked: dict[RoomId, int] = {}
        self._keys: dict[tuple[RoomId, UserId, str], Entry] = {}
        self._entered: dict[tuple[RoomId, SessionId], int] = {}
        self._garbled: tuple[ConnectionId, str | None] | None = None
        self._before: bytes = b""

    def stepping(self, node: Node, input: Input) -> None:
        if type(input) is Closed:
            self._waiting.pop(input.connection, None)
        elif type(input) is Asked:
            self._asked.setdefault(node.name, set()).add(input.request)
        elif type(input) is Garbled:
            self._garbled = (input.connection, input.ref)
        elif type(input) is Received:
            self._received += 1
            if self._received % self._every == 0:
                self._before = pickle.dumps(node.engine.state)
            connection = node.engine.state.connections.get(input.connection)
            if connection is None or connection.closing or connection.session is None:
                return
            command = input.command
            if connection.protocol == 2 and command.ref is not None:
                room = RoomId(getattr(command, "room", ""))
                session, acked = connection.session, self._acked.get(room, 0)
                inside, now = room in session.rooms, self._clock.mono
                user = session.user.user_id
                if type(command) is SendMessage:
                    self._said[room, user, command.idempotency_key, command.message] += 1
                sent = _Sent(command, user, session.id, acked, inside, now)
                self._waiting.setdefault(connection.id, {})[command.ref] = sent

    def sent(self, node: Node, connection: ConnectionId, event: Event) -> None:
        ref = getattr(event, "ref", None)
        if not ref:
            return
        if (connection, ref) == self._garbled and type(event) is Failure:
            self._garbled = None
            return
        sent = self._waiting.get(connection, {}).pop(ref, None)
        if sent is None:
            raise LawBroken(12, f"{connection} was answered {event} once more, or without asking")
        self.answered += 1
        wanted = _ANSWERS.get(type(sent.command), Acked)
        if not isinstance(event, (wanted, Failure)):
            raise LawBroken(12, f"{sent.command} was answered by {event}")
        if type(event) is Failure and event.code is ErrorCode.USERNAME_TAKEN:
            self._look_for_twin(node, event, sent)
        if type(event) is Acked and type(sent.command) is SendMessage:
            self._hold_ack(node, event, sent.command, sent)
        elif type(event) is Acked and isinstance(sent.command, (EditMessage, DeleteMessage)):
            self._hold_revision(event, sent.command, sent.user)
        elif type(event) is RoomJoined:
            self._hold_join(event, sent)

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if type(effect) is Answer:
                waiting = self._asked.get(node.name, set())
                if effect.request not in waiting:
                    raise LawBroken(12, f"the host was answered {effect} twice")
                waiting.discard(effect.request)
            elif type(effect) is Close:
                self._waiting.pop(effect.connection, None)
        if type(input) is Tick:
            self._look_for_the_forgotten(node)
        written, self._before = self._before, b""
        if written and type(input) is Received and _refused(effects, input):
            self.compared += 1
            before: State = pickle.loads(written)
            after: State = pickle.loads(pickle.dumps(node.engine.state))
            changed = list(_differences(before, after, input.connection, self._clock.mono))
            if changed:
                raise LawBroken(12, f"{input.command} was refused and changed {changed}")

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        """Law 3, in the log: no key is used twice within its time."""
        for told in self._truth.news:
            if type(told.event) is not Posted:
                fact: dict[str, Any] = msgspec.msgpack.decode(told.entry.fact)
                for arrival in fact.get("arrivals", ()):
                    self._entered[append.room, arrival["session"]] = self._clock.mono
                continue
            message, entry = told.event.message, told.entry
            if message.idempotency_key is None:
                continue
            name = (append.room, message.user_id, message.idempotency_key)
            first = self._keys.get(name)
            if first is not None and entry.at - first.at < self._limits.idempotency_ms:
                raise LawBroken(3, f"{name} made entries {first.seq} and {entry.seq}")
            self._keys[name] = entry

    def settled(self) -> None:
        """Everything has come to rest: nobody waits any more.

        Raises:
            LawBroken: somebody does (law 12).
        """
        waiting = {name: sent for name, sent in self._waiting.items() if sent}
        asked = {name: requests for name, requests in self._asked.items() if requests}
        if waiting or asked:
            raise LawBroken(12, f"never answered: {waiting or asked}")

    def fail_over(self) -> None:
        """Nothing acknowledged so far is promised any more."""
        self._acked.clear()
        for waiting in self._waiting.values():
            for ref, sent in waiting.items():
                waiting[ref] = replace(sent, acked=0)
        self._keys.clear()

    def lost(self, node: Node) -> None:
        """A node was killed: what it was asked is never answered."""
        self._asked.pop(node.name, None)
        for connection in node.received:
            self._waiting.pop(connection, None)

    def _look_for_the_forgotten(self, node: Node) -> None:
        """Whatever the store does, an answer comes within `unanswered_ms`; only leaves wait on."""
        longest_ago = self._clock.mono - self._limits.unanswered_ms
        for connection, waiting in self._waiting.items():
            if not waiting or connection not in node.protocols:
                continue
            for sent in waiting.values():
                late = longest_ago - sent.at
                if late >= 0 and type(sent.command) is not LeaveRoom:
                    raise LawBroken(12, f"{sent.command} is {late} ms overdue for an answer")

    def _hold_ack(self, node: Node, event: Acked, command: SendMessage, sent: _Sent) -> None:
        room, position = event.room, event.position
        if room is None or position is None:
            raise LawBroken(4, f"{command} was acknowledged without a place: {event}")
        served = node.engine.state.rooms[room].room
        if served is not None and not self._truth.follows(room, position, served.tip):
            raise LawBroken(4, f"{event} names an entry that is not in the log")
        told = self._truth.told(room, position.link)
        message = getattr(told.event, "message", None) if told is not None else None
        if message is None or (message.user_id, event.at) != (sent.user, message.at):
            raise LawBroken(4, f"{event} names {told}, which is not {command}")
        if message.idempotency_key != command.idempotency_key:
            raise LawBroken(3, f"{event} names {message}, which has another key than {command}")
        if not event.duplicate and message.text != command.message:
            raise LawBroken(4, f"{event} names {message}, which is not {command}")
        said = self._said[room, sent.user, command.idempotency_key, command.message]
        if event.duplicate and message.text == command.message and said < 2:
            raise LawBroken(3, f"{event} calls the only send of {command} a duplicate")
        if not self._truth.forked(room, position):
            self._acked[room] = max(self._acked.get(room, 0), position.seq)
        self.held += 1
        self.repeated += event.duplicate

    def _hold_revision(
        self, event: Acked, command: EditMessage | DeleteMessage, user: UserId
    ) -> None:
        """An edit or delete is acknowledged with the entry that did it, and what it left."""
        told = None
        if event.room is not None and event.position is not None:
            told = self._truth.told(event.room, event.position.link)
        done = told.event if told is not None else None
        if not isinstance(done, (MessageEdited, MessageDeleted)) or done.by != user:
            raise LawBroken(4, f"{event} names {told}, which is not {command}")
        left, text = done.message, getattr(command, "message", "")
        place = message_id(Position(left.seq, left.link))
        if (place, left.version, left.text) != (command.id, event.version, text):
            raise LawBroken(4, f"{event} names {done}, which is not {command}")
        if command.if_version not in (None, left.version - 1):
            raise LawBroken(16, f"{command} made {left}")

    def _look_for_twin(self, node: Node, event: Failure, sent: _Sent) -> None:
        """A name that is called taken is one that somebody else has."""
        served = node.engine.state.rooms[RoomId(event.room or "")]
        model = self._truth.at(served.name, served.room.tip.link) if served.room else None
        others = [one for user, one in model.roster.items() if user != sent.user] if model else []
        if not any(other.key in name_key(event.message) for other in others):
            raise LawBroken(12, f"{sent.command} was answered {event}, and nobody has that name")

    def _hold_join(self, event: RoomJoined, sent: _Sent) -> None:
        """Whoever enters the log is shown everything acknowledged before.

        A join that writes nothing (the roster is off, or the session was there) is a reader, and
        may be behind for as long as tips are not compared. So is one after a join whose outcome the
        node did not know, if that was stored.
        """
        entered = self._entered.get((event.room, sent.session), sent.at)
        there = sent.inside or entered < sent.at
        reads = there or not event.shown or event.recovered is not None
        if not reads and event.position.seq < sent.acked:
            raise LawBroken(
                4, f"joined {event.room!r} at {event.position.seq}; {sent.acked} was acknowledged"
            )


def _refused(effects: Sequence[Effect], input: Received) -> bool:
    """Tell whether a command was refused at once."""
    return any(
        type(effect) is Deliver
        and effect.connection == input.connection
        and type(effect.event) is Failure
        and effect.event.ref in (None, input.command.ref)
        for effect in effects
    )


_OF_THE_FRAME = ("frame_bucket", "heard_at", "refused", "pinged")


def _differences(before: State, after: State, sender: ConnectionId, now: int) -> Iterator[str]:
    """Name what a refused command changed; both states are copies, and are changed here.

    Not what its frame did to its connection; nor buckets, as far as they are full by now (so is one
    that was charged and given back); nor the timer that looks for unanswered commands.
    """
    for name in _OF_THE_FRAME:
        setattr(before.connections[sender], name, getattr(after.connections[sender], name))
    for state in (before, after):
        for user in state.users.values():
            user.message_bucket = max(user.message_bucket, now * 1000)
            user.join_bucket = max(user.join_bucket, now * 1000)
        for room in state.rooms:
            state.timers.cancel(Timer.UNANSWERED, room)
    for name in State.__slots__:
        if getattr(before, name) != getattr(after, name):
            yield f"{name}: {getattr(before, name)} became {getattr(after, name)}"
