"""The lives of a connection and of a session, found by running the engine.

Nothing here says which state follows which. An engine is led through every input from every state
it can be brought to, in virtual time and without a socket, and what is seen is written down; so the
diagrams made of it show the engine that is there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from exploring import Life, Moves, explore

from roomkit import Limits, User
from roomkit.core.commands import Ping
from roomkit.core.effects import Close, Effect
from roomkit.core.engine import Engine
from roomkit.core.inputs import Closed, Connected, Drain, Input, Now, Opened, Received, Tick
from roomkit.core.timers import Timer
from roomkit.ids import ConnectionId, SessionId, UserId

__all__ = ["connection_life", "session_life"]

_ALICE = User(UserId("u-alice"), "alice")
_FIRST, _SECOND = ConnectionId("first"), ConnectionId("second")
_TAB, _OTHER_TAB = SessionId("tab"), SessionId("other tab")
_OURS = (_FIRST, _SECOND, _TAB)


class _Visitor:
    """One engine, and one user who opens up to two connections, for one tab or for two."""

    sees_protocols = False

    def __init__(self) -> None:
        ids = iter(range(10**6))
        limits = Limits(connections_per_user=1)
        self.engine = Engine(limits=limits, mint=lambda: f"id-{next(ids)}")
        self.mono = 0
        self.began: dict[ConnectionId, int] = {}
        self.step(Tick())

    def step(self, given: Input) -> list[Effect]:
        return self.engine.step(given, Now(self.mono, self.mono))

    def moves(self) -> Moves:
        found: Moves = {}
        for name in (_FIRST, _SECOND):
            connection = self.engine.state.connections.get(name)
            if connection is None and name not in self.began:
                found[f"Connected {name}"] = self._connect(name)
            elif connection is not None:
                found[f"Closed {name}"] = self._closed(name)
                if not connection.closing and not connection.protocol:
                    session = self.engine.state.sessions.get(_TAB)
                    if session is None:
                        found[f"Opened 1 {name}"] = self._open(name, 1, _TAB)
                    if session is None or session.protocol == 2:
                        found[f"Opened 2 {name}"] = self._open(name, 2, _TAB)
                    found[f"Opened beside {name}"] = self._open(name, 2, _OTHER_TAB)
                elif not connection.closing:
                    found[f"Received {name}"] = self._send(name, 1)
                    found[f"too many {name}"] = self._send(name, 400)
        if not self.engine.state.draining:
            found["Drain"] = lambda: self._label("Drain", self.step(Drain("restart")))
        if any((timer, key) in self.engine.state.timers for timer in Timer for key in _OURS):
            found["time"] = self._wait
        return found

    def memory(self) -> object:
        state = self.engine.state
        opened = tuple((c.id, c.protocol, c.closing, c.pinged) for c in state.connections.values())
        tabs = tuple((s.id, s.protocol, s.connection) for s in state.sessions.values())
        return opened, tabs, state.draining, tuple(self.began)

    def _connect(self, name: ConnectionId) -> Callable[[], str]:
        def move() -> str:
            self.began[name] = self.mono
            return self._label("Connected", self.step(Connected(name)))

        return move

    def _closed(self, name: ConnectionId) -> Callable[[], str]:
        def move() -> str:
            spoke = self.engine.state.connections[name].protocol
            draining = self.engine.state.draining
            effects = self.step(Closed(name))
            if self.sees_protocols and spoke == 1:
                return "Closed, protocol 1" + (", after Drain" if draining else "")
            return self._label("Closed", effects)

        return move

    def _open(self, name: ConnectionId, protocol: int, tab: SessionId) -> Callable[[], str]:
        return lambda: self._label("Opened", self.step(Opened(name, protocol, _ALICE, tab)))

    def _send(self, name: ConnectionId, times: int) -> Callable[[], str]:
        def move() -> str:
            effects = [e for _ in range(times) for e in self.step(Received(name, Ping()))]
            return self._label("Received", effects)

        return move

    def _wait(self) -> str:
        """Pass time until a timer of a connection or session has fired."""
        while (deadline := self.engine.next_deadline) is not None:
            self.mono = deadline
            due = list(copy.deepcopy(self.engine.state.timers).take_due(deadline))
            effects = self.step(Tick())
            for timer, key in due:
                if key in _OURS:
                    return self._label(f"{timer.name} timer", effects)
        raise AssertionError("no timer is set")

    def _label(self, name: str, effects: list[Effect]) -> str:
        for effect in effects:
            if isinstance(effect, Close) and effect.connection == _FIRST:
                return f"{int(effect.code)} {effect.code.name.lower()}"
        return name

    def state(self) -> str:
        raise NotImplementedError


class _AConnection(_Visitor):
    def state(self) -> str:
        connection = self.engine.state.connections.get(_FIRST)
        if connection is None:
            return "end" if _FIRST in self.began else "start"
        if connection.closing:
            return "closing"
        if not connection.protocol:
            return "accepted"
        return "asked" if connection.pinged else "open"


class _ASession(_Visitor):
    """Seen from the tab: which connection it has does not matter."""

    sees_protocols = True

    def state(self) -> str:
        session = self.engine.state.sessions.get(_TAB)
        if session is None:
            return "none"
        return "in grace" if session.connection is None else "connected"

    def _label(self, name: str, effects: list[Effect]) -> str:
        return name


def connection_life() -> Life:
    """Return the life of one websocket, as the engine sees it."""
    return explore(_AConnection, 7)


def session_life() -> Life:
    """Return the life of one tab."""
    return explore(_ASession, 7)
