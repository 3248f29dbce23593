"""From something a user was told, back to what set it off: one line for each cause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from roomkit.cli import words
from roomkit.cli.chronicle import Chronicle, Entered, Fired, Moment, Origin, Sent, Told
from roomkit.core import state
from roomkit.core.events import EntryEvent, Failure, RoomJoined
from roomkit.core.inputs import Appended, Received, Tick
from roomkit.core.storage import Stored
from roomkit.core.timers import Timer

__all__ = ["Line", "causes"]

_MOST = 8  # commands of one append that are told one by one

_TIMERS = {
    Timer.SILENT: "had sent no frame for too long",
    Timer.HEARTBEAT: "had been quiet for too long",
    Timer.GRACE: "had been away for the whole grace",
    Timer.TYPING: "nobody repeated that they type",
    Timer.LEGACY_ROSTER: "the roster had changed, and protocol-1 clients were owed the list",
    Timer.UNANSWERED: "commands had waited too long for the store",
    Timer.RETRY: "it was time to ask the store again",
    Timer.OCCUPANCY: "it was time to count occupants",
    Timer.JUDGE: "commands had come together, and were judged together",
    Timer.TIPS: "it was time to compare tips with the store",
    Timer.LEASE: "it was time to renew the lease",
}

_PERIODIC = frozenset({Timer.UNANSWERED, Timer.OCCUPANCY, Timer.TIPS, Timer.LEASE})
"""Timers of which it says nothing who set them first."""


class Line(NamedTuple):
    """One cause; deeper ones are the causes of those above."""

    depth: int
    moment: Moment
    text: str


def causes(chronicle: Chronicle, told: Told) -> list[Line]:
    """Return what a user was told, and below it what caused it, nearest first."""
    causing = _Causes(chronicle)
    user = causing.who(told.connection)
    first = Line(0, told.moment, f"{user} was told: {words.event(told.event)}")
    return [first, *causing.of(told, 1)]


class _Causes:
    def __init__(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle

    def who(self, name: str) -> str:
        """Return the username behind a connection, a session or a user id; else what was given."""
        users = self._chronicle.users
        user = users.get(name)  # type: ignore[call-overload]  # any id is looked for
        if user is None:
            user = next((one for one in users.values() if one.user_id == name), None)
        return name if user is None else user.username or user.user_id

    def of(self, told: Told, depth: int) -> Iterator[Line]:
        event = told.event
        if isinstance(event, RoomJoined) and event.recovered is False:
            yield Line(depth, told.moment, self._gap(event))
        if isinstance(event, EntryEvent) and told.entry is not None:
            yield from self._entry(told.entry, depth)
        elif isinstance(event, EntryEvent):
            yield from self._foreign(told, event, depth)
        elif told.answers is not None:
            yield from self._answer(told, told.answers, depth)
        elif told.reload is not None:
            yield from self._reload(told.moment, *told.reload, depth)
        elif isinstance(event, Failure):
            yield from self._input(told.moment, depth)
        elif told.after is not None:
            entry = self._chronicle.entered(told.after)
            yield Line(depth, told.moment, f"since {words.event(told.after)}")
            if entry is not None:
                yield from self._entry(entry, depth + 1)
        else:
            yield from self._input(told.moment, depth)

    def _gap(self, event: RoomJoined) -> str:
        """Say why entries were not sent again (`roomkit.core.showing.resume`)."""
        missing = f"entries from {event.gap_from} on"
        if event.gap_reason == "replay_limit":
            return f"{missing} are more than this node keeps to send again"
        if event.gap_reason == "trimmed":
            return f"{missing} are from before this node loaded the room"
        return "the entry it was to go on from is not in this room's log: another stands there"

    def _entry(self, entry: Entered, depth: int, only: Origin | None = None) -> Iterator[Line]:
        position = entry.item.position
        assert position is not None, "it has entered the log"
        answer = f"the store answered append {entry.sent.nonce.counter}: entry {position.seq}"
        yield Line(depth, entry.moment, answer)
        origins = [only] if only is not None else entry.sent.origins_of(entry.item)
        yield from self._append(entry.sent, words.fact(entry.item.fact), origins, depth + 1)

    def _append(self, sent: Sent, what: str, origins: list[Origin], depth: int) -> Iterator[Line]:
        number = sent.nonce.counter
        between = [
            Line(depth, moment, f"the store answered append {number}: {words.outcome(outcome)}")
            for moment, outcome in sent.outcomes
            if not isinstance(outcome, Stored)
        ]
        again = f"append {number} was sent again, unchanged"
        between += [Line(depth, moment, again) for moment in sent.sent[1:]]
        yield from sorted(between, key=lambda line: line.moment.number, reverse=True)
        yield Line(depth, sent.sent[0], f"append {number} was sent: {what}")
        for origin in origins[:_MOST]:
            yield from self._origin(origin, sent, depth + 1)
        if len(origins) > _MOST:
            rest = f"and {len(origins) - _MOST} more like it"
            yield Line(depth + 1, origins[_MOST].moment, rest)

    def _origin(self, origin: Origin, sent: Sent | None, depth: int) -> Iterator[Line]:
        """Tell of a command: the appends that did not get it in, then where it came from."""
        for before in reversed(origin.tries):
            if before is not sent:
                for moment, outcome in before.outcomes[-1:]:
                    answer = f"the store answered append {before.nonce.counter}: "
                    yield Line(depth, moment, answer + words.outcome(outcome))
        command, moment = origin.waiting.command, origin.moment
        if not isinstance(command, state.Wish):
            yield from self._input(moment, depth)
            return
        yield Line(depth, moment, words.command(command, self.who))
        key = command.session if isinstance(command, state.Depart) else self._chronicle.room
        yield from self._input(moment, depth + 1, key)

    def _answer(self, told: Told, origin: Origin, depth: int) -> Iterator[Line]:
        sent = origin.tries[-1] if origin.tries else None
        item = sent.item_of(origin) if sent is not None else None
        if sent is not None and item is not None:
            stored = [moment for moment, outcome in sent.outcomes if isinstance(outcome, Stored)]
            if item.position is not None and stored:
                yield from self._entry(Entered(sent, item, stored[-1]), depth, origin)
                return
            yield from self._step(told.moment, depth)
            yield from self._append(sent, words.fact(item.fact), [origin], depth + 1)
            return
        if told.moment is not origin.moment:
            yield from self._step(told.moment, depth)
        yield from self._origin(origin, None, depth)

    def _foreign(self, told: Told, event: EntryEvent, depth: int) -> Iterator[Line]:
        if isinstance(told.moment.input, Appended):
            text = f"append {told.moment.input.nonce.counter} was sent before this trace begins"
            yield Line(depth, told.moment, text)
            return
        if told.answers is None and isinstance(told.moment.input, Received):
            yield from self._input(told.moment, depth)
            return
        text = f"entry {event.seq} was written by another node, or before this trace begins"
        yield Line(depth, told.moment, text)
        yield from self._step(told.moment, depth + 1)

    def _reload(self, moment: Moment, reason: str, dropped: Moment, depth: int) -> Iterator[Line]:
        yield Line(depth, moment, words.given(moment.input, self.who))
        text = f"what was folded here was dropped ({reason}): the log does not continue it"
        yield Line(depth + 1, dropped, text)
        yield from self._input(dropped, depth + 2)

    def _input(self, moment: Moment, depth: int, key: str | None = None) -> Iterator[Line]:
        """Tell what went into a step, and for a timer or an append what was before it.

        Args:
            key: what the timer that matters is about; None: the room.
        """
        given = moment.input
        if isinstance(given, Appended) and given.nonce in self._chronicle.sent:
            sent = self._chronicle.sent[given.nonce]
            yield Line(depth, moment, words.given(given, self.who))
            what = "; ".join(words.fact(item.fact) for item in sent.batch.items)
            yield from self._append(sent, what, sent.origins, depth + 1)
        elif isinstance(given, Tick):
            yield from self._timers(moment, key or self._chronicle.room, depth)
        else:
            yield Line(depth, moment, words.given(given, self.who))

    def _step(self, moment: Moment, depth: int) -> Iterator[Line]:
        if isinstance(moment.input, Tick):
            yield from self._timers(moment, self._chronicle.room, depth)
        else:
            yield Line(depth, moment, words.given(moment.input, self.who))

    def _timers(self, moment: Moment, key: str, depth: int) -> Iterator[Line]:
        fired = [one for one in moment.fired if one.key == key] or moment.fired
        for one in fired:
            yield Line(depth, moment, self._fired(one))
            if one.timer in _PERIODIC:
                continue
            if one.set_by is None:
                yield Line(depth + 1, moment, "that was set before this trace begins")
            else:
                yield Line(depth + 1, one.set_by, words.given(one.set_by.input, self.who))

    def _fired(self, fired: Fired) -> str:
        text = _TIMERS.get(fired.timer, f"the timer {fired.timer} was due")
        about = fired.timer in (Timer.SILENT, Timer.HEARTBEAT, Timer.GRACE)
        return f"{self.who(fired.key)} {text}" if about else text
