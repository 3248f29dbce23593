"""Clients: the machine of `roomkit.client` in a shell without sockets, and one of protocol 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

import msgspec

from roomkit.client.asks import (
    Answered,
    Ask,
    Connect,
    Disconnect,
    Output,
    Rejected,
    Transmit,
)
from roomkit.client.link import Identity
from roomkit.client.machine import Machine
from roomkit.client.view_data import View
from roomkit.core.events import User
from roomkit.testing.laws import LegacyView
from roomkit.testing.simulation.agenda import Agenda
from roomkit.testing.simulation.wire import Wire

__all__ = ["Dial", "Ear", "LegacySeat", "Seat"]

_encode = msgspec.json.Encoder().encode

Dial = Callable[["Seat | LegacySeat"], "Wire | None"]
"""Opens a connection to some node; None if nobody answers."""


class Ear(Protocol):
    """Who looks over a client's shoulder."""

    def heard(self, seat: Seat, before: View) -> None:
        """The client has taken in a frame; what it held before that."""
        ...

    def answered(self, seat: Seat, ticket: int, output: Answered | Rejected) -> None:
        """The client told its application what became of something."""
        ...


@dataclass
class _Shell:
    """What the client's program has besides the machine: a wish to connect, and an alarm."""

    dialling: int = 0
    alarm: int | None = None


class Seat:
    """One tab of somebody.

    Attributes:
        wire: what it is connected by, if it is.
        reachable: it can reach the server.
        cuts: how often its connection was lost.
    """

    def __init__(
        self,
        name: str,
        user: User,
        agenda: Agenda,
        dial: Dial,
        ear: Ear,
        identity: Identity,
        chance: Random,
    ) -> None:
        self.name = name
        self.user = user
        self.wire: Wire | None = None
        self.reachable = True
        self.cuts = 0
        self._agenda = agenda
        self._dial = dial
        self._ear = ear
        self._chance = chance
        self._keys = 0
        self._shell = _Shell()
        self.machine = self._machine(identity)

    def start(self) -> None:
        """Open the page."""
        self._do(self.machine.start(self._agenda.now))

    def ask(self, ask: Ask, ticket: int | None = None) -> None:
        """Have the client do something."""
        self._do(self.machine.ask(ask, self._agenda.now, ticket))

    def hint(self) -> None:
        """The network may be back."""
        self._do(self.machine.hint(self._agenda.now))

    def stop(self) -> None:
        """Close the page in good order."""
        self._do(self.machine.stop(self._agenda.now))

    def reload(self) -> list[str]:
        """Load the page anew, forgetting all but token and session; return the rooms it was in."""
        identity, rooms = self.machine.identity, list(self.machine.view.rooms)
        if self.wire is not None:
            self.wire.leave()
            self.wire = None
        self._shell = _Shell()
        self.machine = self._machine(identity)
        self.start()
        return rooms

    # The wire's end

    def hear(self, frame: bytes) -> None:
        if self._agenda.journal is not None:
            self._agenda.note(f"{self.name} <- {frame.decode()}")
        before = self.machine.view
        outputs = self.machine.received(frame.decode(), self._agenda.now)
        if self.machine.view is not before:
            self._ear.heard(self, before)
        self._do(outputs)

    def hang_up(self, code: int) -> None:
        self._agenda.note(f"{self.name} is cut off: {code}")
        self.wire = None
        self.cuts += 1
        self._do(self.machine.closed(code, self._agenda.now))

    # What the machine wants

    def _machine(self, identity: Identity) -> Machine:
        return Machine(
            random=self._chance.random,
            mint=self._mint,
            token=identity.token,
            session=identity.session,
            username=identity.username,
        )

    def _mint(self) -> str:
        self._keys += 1
        return f"{self.name}-key-{self._keys}"

    def _do(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if type(output) is Transmit:
                if self._agenda.journal is not None:
                    self._agenda.note(f"{self.name} -> {output.frame}")
                if self.wire is not None:
                    self.wire.send(_encode(output.frame).decode())
            elif type(output) is Connect:
                self._shell.dialling += 1
                call = partial(self._call, self._shell.dialling, self._shell)
                self._agenda.at(self._agenda.now + output.after_ms, call)
            elif type(output) is Disconnect:
                self._shell.dialling += 1
                if self.wire is not None:
                    self.wire.leave()
                    self.wire = None
                    self.cuts += 1
            elif type(output) is Answered or type(output) is Rejected:
                self._ear.answered(self, output.ticket, output)
        self._arm()

    def _call(self, wish: int, shell: _Shell) -> None:
        if shell is not self._shell or wish != shell.dialling:
            return
        self.wire = self._dial(self) if self.reachable else None
        if self.wire is None:
            self._do(self.machine.closed(1006, self._agenda.now))
        else:
            self._do(self.machine.opened(self._agenda.now))

    def _arm(self) -> None:
        deadline, shell = self.machine.next_deadline, self._shell
        if deadline is not None and (shell.alarm is None or deadline < shell.alarm):
            shell.alarm = deadline
            self._agenda.at(deadline, lambda: self._ring(shell))

    def _ring(self, shell: _Shell) -> None:
        if shell is not self._shell or shell.alarm is None or shell.alarm > self._agenda.now:
            return
        shell.alarm = None
        deadline = self.machine.next_deadline
        if deadline is not None and deadline <= self._agenda.now:
            self._do(self.machine.tick(self._agenda.now))
        else:
            self._arm()


class LegacySeat:
    """A program that speaks protocol 1: it joins a room, and comes back a while after a cut.

    Attributes:
        room: the room it wants to be in.
    """

    def __init__(
        self, name: str, user: User, agenda: Agenda, dial: Dial, view: Callable[[], LegacyView]
    ) -> None:
        self.name = name
        self.user = user
        self.room = "lobby"
        self.wire: Wire | None = None
        self.reachable = True
        self.cuts = 0
        self.stopped = False
        self.frames = 0
        self._agenda = agenda
        self._dial = dial
        self._new_view = view
        self.view = view()

    def start(self) -> None:
        """Connect, and join."""
        if self.stopped or self.wire is not None:
            return
        self.wire = self._dial(self) if self.reachable else None
        self.view = self._new_view()
        if self.wire is None:
            self._agenda.at(self._agenda.now + 1_000, self.start)
        else:
            self.send("join_room", room=self.room, username=self.user.username or self.name)

    def send(self, kind: str, **data: str) -> None:
        """Send a frame, if it is connected."""
        if self.wire is not None:
            self.wire.send(_encode({"type": kind, "data": data}).decode())

    def hear(self, frame: bytes) -> None:
        self.frames += 1
        if self._agenda.journal is not None:
            self._agenda.note(f"{self.name} <- {frame.decode()}")
        self.view.take(frame)

    def hang_up(self, code: int) -> None:
        self.wire = None
        self.cuts += 1
        self.view.disconnected()
        self._agenda.at(self._agenda.now + 300, self.start)

    def stop(self) -> None:
        """Go, and do not come back."""
        self.stopped = True
        if self.wire is not None:
            self.wire.leave()
            self.wire = None
