"""A node's shell without a loop: sockets in, frames out, store calls when their time has come.

Codec, tokens, fan-out and outboxes are the real ones. The handshake is the reader's, told again
without anything to wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from roomkit.core.commands import Command, Hello
from roomkit.core.effects import Attach, Broadcast, Close, Deliver, Detach, Effect
from roomkit.core.events import Event, Welcomed
from roomkit.core.inputs import Closed, Connected, Garbled, Input, Opened, Received
from roomkit.errors import CloseCode
from roomkit.ids import ConnectionId
from roomkit.limits import Limits
from roomkit.runtime.deliveries import grade_of
from roomkit.runtime.fanout import FanOut
from roomkit.runtime.tokens import Tokens
from roomkit.testing.lives.trouble import Trouble
from roomkit.testing.simulation.agenda import Agenda
from roomkit.testing.simulation.calls import Calls
from roomkit.testing.simulation.door import Door
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.simulation.wire import Wire
from roomkit.testing.world import Node
from roomkit.wire import Codec, WireError

__all__ = ["Front"]

_SECRET = b"the store's secret, for every node the same"


class Front:
    """What stands between a node's engine and everything else.

    Attributes:
        wires: the connections it serves, by id.
        alive: False once the node was killed.
        asleep: the node stands still; what comes waits in `backlog`.
        accepts: new connections are taken.
        calls: its end of the store.
    """

    def __init__(
        self,
        node: Node,
        agenda: Agenda,
        limits: Limits,
        door: Door,
        trouble: Trouble,
        tally: Tally,
    ) -> None:
        self.node = node
        self.wires: dict[ConnectionId, Wire] = {}
        self.alive = self.accepts = True
        self.asleep = False
        self.calls = Calls(self, agenda, trouble, tally)
        self.check_bytes: Callable[[Wire], None] = lambda wire: None
        self.whose: dict[ConnectionId, str] = {}
        self._backlog: list[Input] = []
        self._agenda = agenda
        self._limits = limits
        self._door = door
        self._tally = tally
        self._codec = Codec(limits)
        self._tokens = Tokens(_SECRET)
        self._fanout = FanOut()
        self._settling = False
        self._armed: int | None = None

    # The network's end

    def accept(self, wire: Wire, username: str) -> None:
        """A websocket is accepted; `username` is what its cookies say."""
        node = self.node
        self.wires[wire.id] = wire
        self.whose[wire.id] = username
        self._fanout.add(wire.id, wire.outbox)
        node.received[wire.id] = []
        node.protocols[wire.id] = 1
        self.step(Connected(wire.id))

    def heard(self, wire: Wire, frame: str) -> None:
        """A frame arrived."""
        if wire.id in self.node.closes:
            return
        try:
            command = self._codec.decode(frame, wire.protocol)
        except WireError as error:
            self.step(Garbled(wire.id, error.code, error.message, error.ref, error.room))
            return
        if wire.protocol == 0:
            self._greet(wire, command)
        elif not isinstance(command, Hello):
            self.step(Received(wire.id, command, more=True))

    def hung_up(self, wire: Wire) -> None:
        """The connection is over."""
        if wire.outbox.shed:
            self._tally.law(11)
            self._tally.seen("outbox shed", wire.outbox.shed)
        wire.ended()
        if self.wires.pop(wire.id, None) is not None:
            self._fanout.remove(wire.id)
            if self.alive:
                self.step(Closed(wire.id))

    def overflowed(self, wire: Wire) -> None:
        """More than the hard limit waits: the client is to come back."""
        self._tally.law(11)
        self._tally.seen("slow consumer")
        code = int(CloseCode.SLOW_CONSUMER)
        self._agenda.at(self._agenda.now, lambda: wire.break_off(code))

    def _greet(self, wire: Wire, first: Hello | Command) -> None:
        hello = first if isinstance(first, Hello) else None
        user = self._door.user(hello, self._tokens, self.whose[wire.id])
        wire.protocol = 1 if hello is None else 2
        self.node.protocols[wire.id] = wire.protocol
        self._fanout.speaks(wire.id, wire.protocol)
        session = self._door.session(hello, self._tokens, user)
        self.step(Opened(wire.id, wire.protocol, user, session))
        if not isinstance(first, Hello):
            self.step(Received(wire.id, first, more=True))

    # The engine's end

    def step(self, given: Input) -> None:
        """Have the node judge an input, now or when it wakes up."""
        if self.asleep:
            self._backlog.append(given)
        elif type(given) is Closed:
            self.node.drop(given.connection)
        elif self.alive:
            self.node.step(given)

    def wake_up(self) -> None:
        """The node goes on, and hears what came meanwhile."""
        self.asleep = False
        backlog, self._backlog = self._backlog, []
        self.node.tick()
        for given in backlog:
            self.step(given)
        self.calls.wake_up()
        self.touched()

    def perform(self, effects: Sequence[Effect]) -> None:
        """Do what a step said, in order, but for store calls, which the node keeps."""
        fanout = self._fanout
        for effect in effects:
            if type(effect) is Deliver:
                connection, event = effect.connection, effect.event
                wire = self.wires.get(connection)
                if wire is not None:
                    fanout.deliver(connection, self._frames(wire, event), grade_of(event))
            elif type(effect) is Broadcast:
                room, event, only = effect.room, effect.event, effect.protocol
                for protocol in fanout.protocols(room):
                    if only is None or only == protocol:
                        frames = self._codec.encode(event, protocol)
                        fanout.broadcast(room, protocol, frames, grade_of(event), effect.without)
            elif type(effect) is Attach:
                fanout.attach(effect.connection, effect.room)
            elif type(effect) is Detach:
                fanout.detach(effect.connection, effect.room)
            elif type(effect) is Close:
                self._close(effect)
        self.touched()

    def _close(self, effect: Close) -> None:
        wire = self.wires.get(effect.connection)
        if wire is not None:
            self._fanout.settle(effect.connection)
            if effect.code == CloseCode.SESSION_REPLACED:
                self._tally.seen("session replaced")
            wire.close(int(effect.code), self._limits.close_ms)

    def touched(self) -> None:
        """Something may have to be written, stored or woken for, at the end of this moment."""
        if not self._settling:
            self._settling = True
            self._agenda.soon(self._settle)

    def _frames(self, wire: Wire, event: Event) -> tuple[bytes, ...]:
        if type(event) is not Welcomed:
            return self._codec.encode(event, wire.protocol or 1)
        if event.resumed:
            self._tally.seen("session resumed")
        tokens = self._tokens
        user = event.user
        frame = self._codec.encode_welcome(
            event,
            connection_id=wire.id,
            session_token=tokens.session_token(event.session, user.user_id),
            guest_token=tokens.guest_token(user.user_id) if self._door.guests else None,
            durability="memory",
            features=(),
        )
        return (frame,)

    def _settle(self) -> None:
        self._settling = False
        if not self.alive or self.asleep:
            return
        if self._fanout.dirty:
            before = self._fanout.delivered
            self._fanout.flush()
            if self._fanout.delivered > before:
                self._tally.seen("written at once", self._fanout.delivered - before)
            for wire in list(self.wires.values()):
                if wire.outbox.waiting:
                    self.check_bytes(wire)
                    wire.pump()
        self.calls.begin()
        deadline = self.node.engine.next_deadline
        if deadline is not None and (self._armed is None or deadline < self._armed):
            self._armed = deadline
            self._agenda.at(deadline, self._wake)

    def _wake(self) -> None:
        if self._armed is None or self._armed > self._agenda.now:
            return
        self._armed = None
        if not self.alive or self.asleep:
            return
        deadline = self.node.engine.next_deadline
        if deadline is not None and deadline <= self._agenda.now:
            self.node.tick()
        self.touched()
