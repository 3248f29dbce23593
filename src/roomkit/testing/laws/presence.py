"""Laws 8 and 9: a short drop shows nothing, a dead node leaves nobody, and no ghost is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from roomkit.core.commands import JoinRoom
from roomkit.core.effects import Append, Attach, Detach, Effect
from roomkit.core.events import RosterChanged
from roomkit.core.inputs import Closed, Input, Received
from roomkit.core.storage import Outcome
from roomkit.ids import RoomId, SessionId
from roomkit.limits import Limits
from roomkit.testing.clock import ManualClock
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.laws.truth import Truth
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Presence"]


class Presence(Observer):
    """Remembers when each session was last in each room, at each node.

    Attributes:
        returned: how often a session came back to a room within its grace.
    """

    stepping_kinds = frozenset({Received})
    stepped_kinds = frozenset({Attach, Detach, Closed})

    def __init__(self, truth: Truth, limits: Limits, clock: ManualClock) -> None:
        self._truth = truth
        self._grace = limits.presence_grace_ms
        self._clock = clock
        self.returned = 0
        self._seen: dict[tuple[str, RoomId, str], int] = {}
        self._there: dict[str, set[tuple[str, RoomId, str]]] = {}
        self._overdue: set[tuple[str, RoomId, str]] = set()
        self._legacy: set[str] = set()

    def stepping(self, node: Node, input: Input) -> None:
        if type(input) is Received and type(input.command) is JoinRoom:
            connection = node.engine.state.connections.get(input.connection)
            if connection is not None and connection.session is not None:
                if connection.protocol == 1:
                    self._legacy.add(connection.session.id)

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        moved = any(type(effect) in (Attach, Detach) for effect in effects)
        if moved or type(input) is Closed:
            self._look(node)

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        for told in self._truth.news:
            if type(told.event) is not RosterChanged:
                continue
            fact: dict[str, Any] = msgspec.msgpack.decode(told.entry.fact)
            for departure in fact.get("departures", ()):
                if departure["reason"] == "dropped":
                    self._look_for_haste((node.name, append.room, departure["session"]))

    def rested(self, nodes: Sequence[Node]) -> None:
        """Everything has come to rest, longer than a lease and a grace after the last death.

        Raises:
            LawBroken: a roster lists somebody who is not there, or misses somebody (law 9).
        """
        living = {str(node.engine.node): node for node in nodes}
        for room in self._truth.logs:
            tip = self._truth.tip(room)
            if not tip.shown:
                continue
            dead = tip.nodes() - set(living)
            if dead:
                raise LawBroken(9, f"{room!r} still lists sessions of {dead}")
            for name, node in living.items():
                served = node.engine.state.rooms.get(room)
                held: set[SessionId] = set(served.sessions) if served is not None else set()
                listed = tip.sessions_at(name)
                if held != listed:
                    raise LawBroken(9, f"{room!r} lists {listed} at {name}, which has {held}")

    def _look(self, node: Node) -> None:
        """Note who is there now; that somebody was away too long stays true until it is written."""
        state, now = node.engine.state, self._clock.mono
        there: set[tuple[str, RoomId, str]] = set()
        for room, members in node.members.items():
            for connection in members:
                found = state.connections.get(connection)
                if found is not None and found.session is not None:
                    there.add((node.name, room, found.session.id))
        before = self._there.get(node.name, set())
        self._there[node.name] = there
        for key in there - before:
            if now - self._seen.get(key, now) >= self._grace:
                self._overdue.add(key)
            elif key in self._seen:
                self.returned += 1
            self._seen[key] = now
        for key in before - there:
            self._seen[key] = now

    def _look_for_haste(self, key: tuple[str, RoomId, str]) -> None:
        there = key in self._there.get(key[0], set())
        seen = self._clock.mono if there else self._seen.get(key)
        if seen is None or key[2] in self._legacy:
            return
        if key in self._overdue:
            self._overdue.discard(key)
            return
        away = self._clock.mono - seen
        if away < self._grace:
            raise LawBroken(8, f"{key[2]} was dropped from {key[1]!r} after {away} ms away")
