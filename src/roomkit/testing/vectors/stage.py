"""Where a vector is recorded: the real engine, the Python machine, one virtual clock, one network.

What the client does and what the server says come by themselves; a scenario says what the
application asks, what others do, and what the network does to it.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping

import msgspec

from roomkit.client.asks import Connect, Disconnect, Output, Transmit
from roomkit.client.machine import Machine
from roomkit.client.view_data import RoomView
from roomkit.core.events import Event
from roomkit.core.policy import Policy, allow_own
from roomkit.limits import Limits
from roomkit.testing.vectors.inputs import do
from roomkit.testing.vectors.people import Person
from roomkit.testing.vectors.play import outcome
from roomkit.testing.vectors.server import Server

__all__ = ["Stage"]


class Stage:
    """One client under test, its server, and the record.

    Args:
        guests: False if users are known by their tokens.
        options: how the client is made: `username`, `token`, `session`.

    Attributes:
        steps: the record.
        reachable: False while connections cannot be opened.
        slow: True while the server's frames wait on the way.
        deaf: True while the client's frames get lost on the way.
    """

    def __init__(
        self,
        options: Mapping[str, str],
        limits: Limits | None = None,
        policy: Policy = allow_own,
        guests: bool = True,
    ) -> None:
        self.server = Server(limits or Limits(), policy, guests)
        keys = itertools.count(1)
        self.machine = Machine(
            random=lambda: 0.5, mint=lambda: f"key-{next(keys)}", **dict(options)
        )
        self.steps: list[dict[str, object]] = []
        self.reachable = True
        self.slow = False
        self.deaf = False
        self._line: deque[bytes] = deque()
        self._last = b""
        self._open_at: int | None = None

    @property
    def now(self) -> int:
        """Virtual ms since the start."""
        return self.server.world.clock.mono

    def room(self, name: str) -> RoomView:
        """Return what the client knows of a room."""
        return self.machine.view.rooms[name]

    @property
    def waiting(self) -> int:
        """How many of the server's frames are on their way."""
        self._collect()
        return len(self._line)

    # What a scenario says

    def do(self, name: str, /, **given: object) -> None:
        """The application asks, or something happens to the client."""
        self._do(name, given)
        self.settle()

    def begin(self, *rooms: str) -> None:
        """Ask for rooms and connect."""
        for room in rooms:
            self._do("join", {"room": room})
        self.do("start")

    def person(self, name: str, room: str, tab: str = "tab-1") -> Person:
        """Bring somebody else into a room, in a tab of theirs."""
        person = Person(self.server.node, name, room, tab)
        person.join()
        self.settle()
        return person

    def show(self) -> None:
        """Record the view."""
        self.settle()
        self._record(view=msgspec.to_builtins(self.machine.view))

    def wait(self, ms: int) -> None:
        """Let time pass."""
        world = self.server.world
        until = self.now + ms
        while True:
            self.settle()
            times = [node.engine.next_deadline for node in world.nodes]
            times += [self.machine.next_deadline, self._open_at]
            due = min((at for at in times if at is not None and at <= until), default=None)
            if due is None:
                break
            world.clock.move_to(due)
            deadline = self.machine.next_deadline
            if deadline is not None and deadline <= self.now:
                self._do("tick", {})
                later = self.machine.next_deadline
                assert later is None or later > self.now, "the client has more to do at once"
        world.clock.move_to(until)

    def cut(self) -> None:
        """The connection breaks; what is on its way is lost."""
        self._line.clear()
        self.server.drop()
        self.do("cut")

    def restart(self) -> None:
        """The server is killed and started again on its store."""
        self._line.clear()
        self.server.restart()
        self.do("cut")

    def deliver(self, count: int) -> None:
        """Let this many waiting frames through, while `slow`."""
        self._collect()
        for _ in range(count):
            self._deliver(self._line.popleft())

    def lose(self, count: int) -> None:
        """Lose this many waiting frames, while `slow`; no network does, clients must bear it."""
        self._collect()
        for _ in range(count):
            self._line.popleft()

    def repeat(self) -> None:
        """The server's last frame comes again."""
        self._deliver(self._last)
        self.settle()

    def tell(self, event: Event) -> None:
        """The server says something that is not the engine's to say."""
        self._deliver(self.server.encode(event))
        self.settle()

    def inject(self, type_: str, data: object) -> None:
        """Another server says something, a newer one or none of ours."""
        self._deliver(msgspec.json.encode({"type": type_, "data": data}))
        self.settle()

    def close(self, code: int) -> None:
        """The server closes the connection."""
        self._line.clear()
        self.server.drop()
        self.do("closed", code=code)

    def settle(self) -> None:
        """Let everything happen that happens at once."""
        while True:
            self.server.world.settle()
            self._collect()
            if self._open_at is not None and self._open_at <= self.now:
                self._open_at = None
                if self.reachable:
                    self.server.connect()
                self._do("open" if self.reachable else "cut", {})
            elif self._line and not self.slow:
                self._deliver(self._line.popleft())
            elif not self._line and (code := self.server.close_code()) is not None:
                self.server.drop()
                self._do("closed", {"code": code})
            else:
                return

    # How it happens

    def _collect(self) -> None:
        self._line += self.server.take()

    def _deliver(self, frame: bytes) -> None:
        self._last = frame
        self._record(**{"in": msgspec.json.decode(frame)})
        self._perform(self.machine.received(frame, self.now))

    def _do(self, name: str, given: Mapping[str, object]) -> None:
        self._record(do={name: dict(given)})
        self._perform(do(self.machine, name, given, self.now))

    def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            said = outcome(output)
            if said is not None:
                self._record(**said)
        for output in outputs:
            match output:
                case Transmit(frame) if self.server.connection is not None and not self.deaf:
                    self.server.receive(msgspec.json.encode(frame).decode())
                case Connect(after_ms):
                    self._open_at = self.now + after_ms
                case Disconnect():
                    self._line.clear()
                    self._open_at = None
                    self.server.drop()
                case _:
                    pass

    def _record(self, **step: object) -> None:
        self.steps.append({"at": self.now, **step})
