"""What happened in one room while a trace is replayed, and what set off what.

Nothing is guessed from texts: who waits for which append is read from the engine's own state after
every step, and its timers tell who set them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from roomkit.core.effects import Append, Attach, Broadcast, Deliver, Detach, Effect
from roomkit.core.events import EntryEvent, Event
from roomkit.core.inputs import Appended, Input, Now
from roomkit.core.queue import all_waiting
from roomkit.core.state import Batch, BatchItem, Served, State, UserState, Waiting
from roomkit.core.storage import Nonce, Outcome, Stored
from roomkit.core.timers import Timer, Timers
from roomkit.ids import ConnectionId, RoomId, SessionId
from roomkit.trace import Header, Played, Step, Watcher

__all__ = ["Chronicle", "Entered", "Fired", "Moment", "Origin", "Sent", "Told"]

T = TypeVar("T")
V = TypeVar("V")

_TOLD = 10_000
"""Events kept of those the user was told."""
_APPENDS = 2_000
"""Appends kept: more than the tail of a room, from which entries are told again."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One step: when it was, what went in, and which timers fired in it."""

    number: int
    now: Now
    input: Input
    fired: list[Fired] = field(default_factory=list["Fired"])


@dataclass(frozen=True)
class Fired:
    """A timer that fired, and the step that set it; None if that was before the trace begins."""

    timer: Timer
    key: str
    set_by: Moment | None


@dataclass(frozen=True, eq=False)
class Origin:
    """A command that waited, the step that put it there, and the appends it was part of."""

    waiting: Waiting
    moment: Moment
    tries: list[Sent] = field(default_factory=list["Sent"])


@dataclass(frozen=True, eq=False)
class Sent:
    """An append of this node.

    Attributes:
        origins: the commands it is to answer.
        sent: the steps that sent it; more than one if its outcome was unknown.
        outcomes: what the store answered, and in which step.
    """

    nonce: Nonce
    batch: Batch
    origins: list[Origin]
    sent: list[Moment]
    outcomes: list[tuple[Moment, Outcome]] = field(default_factory=list[tuple[Moment, Outcome]])

    def item_of(self, origin: Origin) -> BatchItem | None:
        """Return the fact proposed for a command."""
        return next((item for item in self.batch.items if _has(item, origin)), None)

    def origins_of(self, item: BatchItem) -> list[Origin]:
        """Return the commands a fact was proposed for."""
        return [origin for origin in self.origins if _has(item, origin)]


@dataclass(frozen=True)
class Entered:
    """How an entry of this node came into the log: its append, and the step that was told so."""

    sent: Sent
    item: BatchItem
    moment: Moment


@dataclass(frozen=True, eq=False)
class Told:
    """An event as one connection was sent it.

    Attributes:
        entry: how the entry it tells came into the log, if this node wrote it.
        answers: the command it answers, if that had waited.
        after: the entry told last before it in the same step.
        reload: why and when the room's fold had been dropped, if this tells a fresh one.
    """

    moment: Moment
    connection: ConnectionId
    event: Event
    entry: Entered | None = None
    answers: Origin | None = None
    after: EntryEvent | None = None
    reload: tuple[str, Moment] | None = None


class _WatchedTimers(Timers):
    """Timers that remember by whom they were set, and tell when they fire."""

    __slots__ = ("_set_by", "moment")

    def __init__(self, timers: Timers) -> None:
        super().__init__()
        self._set_by: dict[tuple[Timer, str], Moment] = {}
        self.moment: Moment | None = None
        for timer, key, at in timers:
            self.set(timer, key, at)

    def set(self, timer: Timer, key: str, at: int) -> None:
        super().set(timer, key, at)
        if self.moment is not None:
            self._set_by[timer, key] = self.moment

    def cancel(self, timer: Timer, key: str) -> None:
        super().cancel(timer, key)
        self._set_by.pop((timer, key), None)

    def take_due(self, now: int) -> Iterator[tuple[Timer, str]]:
        for timer, key in super().take_due(now):
            set_by = self._set_by.pop((timer, key), None)
            if self.moment is not None:
                self.moment.fired.append(Fired(timer, key, set_by))
            yield timer, key


class Chronicle(Watcher):
    """Watches a replay; `note` takes each step it yields.

    Args:
        user: user id or name of the one whose events are kept.

    Attributes:
        told: what connections of the user were told of the room, oldest first.
        users: who has been on each connection, or had each session.
        sent: appends of the room, by nonce.
    """

    def __init__(self, user: str, room: RoomId) -> None:
        self.room = room
        self.told: deque[Told] = deque(maxlen=_TOLD)
        self.users: dict[ConnectionId | SessionId, UserState] = {}
        self.sent: dict[Nonce, Sent] = {}
        self._user = user
        self._own: dict[str, Entered] = {}
        self._origins: dict[int, Origin] = {}
        self._attached: dict[ConnectionId, int] = {}
        self._reload: tuple[str, Moment] | None = None
        self._state: State
        self._timers: _WatchedTimers
        self._moment: Moment

    def entered(self, event: Event) -> Entered | None:
        """Return how the entry of an event came into the log, if this node wrote it."""
        return self._own.get(event.link) if isinstance(event, EntryEvent) else None

    def begins(self, state: State, header: Header, *, continues: bool) -> None:
        self._state = state
        if continues:
            return
        self._timers = _WatchedTimers(state.timers)
        state.timers = self._timers
        self._origins.clear()
        self._reload = None
        for connection in state.connections.values():
            if connection.session is not None:
                self.users[connection.id] = connection.session.user
        for session in state.sessions.values():
            self.users[session.id] = session.user
        served = state.rooms.get(self.room)
        members = served.members.values() if served is not None else ()
        self._attached = {member.id: member.protocol for member in members}

    def steps(self, number: int, step: Step) -> None:
        self._moment = Moment(number, step.now, step.input)
        self._timers.moment = self._moment

    def note(self, played: Played) -> None:
        """Take a step that has just been played."""
        self._meet(played.step.input)
        served = self._state.rooms.get(self.room)
        answered = [one for one in self._origins.values() if one.waiting.answered]
        self._note_outcome(played.step.input)
        self._hear(played.effects, answered)
        for origin in answered:
            del self._origins[id(origin.waiting)]
        if served is None:
            return
        for waiting in all_waiting(served):
            if not waiting.answered and id(waiting) not in self._origins:
                self._origins[id(waiting)] = Origin(waiting, self._moment)
        self._note_appends(played.effects, served)
        if served.reload is None:
            self._reload = None
        elif self._reload is None:
            self._reload = (served.reload, self._moment)

    def _meet(self, given: Input) -> None:
        connection = self._state.connections.get(getattr(given, "connection", ConnectionId("")))
        if connection is not None and connection.session is not None:
            self.users[connection.id] = connection.session.user
            self.users[connection.session.id] = connection.session.user

    def _note_outcome(self, given: Input) -> None:
        if not isinstance(given, Appended) or given.nonce not in self.sent:
            return
        sent = self.sent[given.nonce]
        sent.outcomes.append((self._moment, given.outcome))
        for item in sent.batch.items:
            if isinstance(given.outcome, Stored) and item.position and not item.duplicate:
                self._own[item.position.link] = Entered(sent, item, self._moment)
        _keep_newest(self._own)

    def _note_appends(self, effects: Iterable[Effect], served: Served) -> None:
        for effect in effects:
            if not isinstance(effect, Append) or effect.room != self.room:
                continue
            known = self.sent.get(effect.nonce)
            if known is not None:
                known.sent.append(self._moment)
            elif served.batch is not None and served.batch.nonce == effect.nonce:
                commands = [one for item in served.batch.items for one in item.waiting]
                origins = [self._origins[id(one)] for one in commands if not one.answered]
                sent = Sent(effect.nonce, served.batch, origins, [self._moment])
                self.sent[effect.nonce] = sent
                for origin in origins:
                    origin.tries.append(sent)
        _keep_newest(self.sent)

    def _hear(self, effects: Iterable[Effect], answered: list[Origin]) -> None:
        """Note what is told in the room, and to whom."""
        unclaimed = list(answered)
        after: EntryEvent | None = None
        for effect in effects:
            if isinstance(effect, Attach) and effect.room == self.room:
                connection = self._state.connections.get(effect.connection)
                self._attached[effect.connection] = connection.protocol if connection else 0
            elif isinstance(effect, Detach) and effect.room == self.room:
                self._attached.pop(effect.connection, None)
            elif isinstance(effect, Deliver):
                if getattr(effect.event, "room", None) == self.room:
                    answers = _claim(unclaimed, effect)
                    self._tell(effect.connection, effect.event, answers, after)
            elif isinstance(effect, Broadcast) and effect.room == self.room:
                for connection_id, protocol in self._attached.items():
                    if connection_id in effect.without or effect.protocol not in (None, protocol):
                        continue
                    self._tell(connection_id, effect.event, None, after)
                if isinstance(effect.event, EntryEvent):
                    after = effect.event

    def _tell(
        self,
        connection: ConnectionId,
        event: Event,
        answers: Origin | None,
        after: EntryEvent | None,
    ) -> None:
        user = self.users.get(connection)
        if user is None or self._user not in (user.user_id, user.username):
            return
        entry = self.entered(event)
        told = Told(self._moment, connection, event, entry, answers, after, self._reload)
        self.told.append(told)


def _has(item: BatchItem, origin: Origin) -> bool:
    return any(one is origin.waiting for one in item.waiting)


def _keep_newest(appends: dict[T, V]) -> None:
    while len(appends) > _APPENDS:
        del appends[next(iter(appends))]


def _claim(answered: list[Origin], effect: Deliver) -> Origin | None:
    """Take the command that this answers out of those answered in this step."""
    for index, origin in enumerate(answered):
        waiting = origin.waiting
        same_ref = (waiting.ref or "") == (getattr(effect.event, "ref", None) or "")
        if waiting.connection == effect.connection and same_ref:
            return answered.pop(index)
    return None
