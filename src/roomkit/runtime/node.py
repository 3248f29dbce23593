"""A hub while it runs: feeds the engine one input at a time and does what it says, in order.

A step is synchronous. Nothing is written, stored or awaited inside it: deliveries end in outboxes,
store effects in the queues of the store's lanes, and other tasks do the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import cast, get_args

import anyio
from anyio.abc import TaskGroup

from roomkit.core.effects import (
    Answer,
    Attach,
    Broadcast,
    Close,
    Deliver,
    Detach,
    Effect,
    StoreEffect,
)
from roomkit.core.engine import Engine
from roomkit.core.events import Event
from roomkit.core.inputs import (
    Closed,
    Connected,
    Garbled,
    Input,
    Now,
    Opened,
    Received,
    Tick,
    Unwatched,
    Watched,
)
from roomkit.ids import ConnectionId, RoomId
from roomkit.limits import Limits
from roomkit.runtime.alarm import Alarm
from roomkit.runtime.clock import Clock
from roomkit.runtime.complaints import Complaints
from roomkit.runtime.connection import Connection
from roomkit.runtime.deliveries import Deliveries
from roomkit.runtime.feed import listen
from roomkit.runtime.handshake import Identities, mint
from roomkit.runtime.lanes import StoreCalls
from roomkit.runtime.requests import Requests
from roomkit.runtime.stats import Counters, HubStats
from roomkit.runtime.transport import Transport
from roomkit.runtime.watchers import RoomEvents
from roomkit.stores.base import Store

__all__ = ["Node"]

_OF_A_CONNECTION = (Connected, Opened, Received, Garbled)

_Handle = Callable[[str | bytes], None]

_TICKS_IN_A_ROW = 64  # the engine moves a deadline it has met; this bounds the harm if it does not


class Node:
    """The engine, and everything that serves it in this process. Made in the loop it runs in.

    Attributes:
        ticks: how many loop ticks had something to end.
    """

    def __init__(
        self, engine: Engine, store: Store, limits: Limits, identities: Identities, tasks: TaskGroup
    ) -> None:
        self.limits = limits
        self.identities = identities
        self.complaints = Complaints()
        self.counters = Counters()
        self.requests = Requests()
        self.deliveries = Deliveries(limits, identities, store.durability, self.complaints)
        self.calls = StoreCalls(store, limits, self.step, tasks, self.complaints)
        self.alarm = Alarm(lambda: engine.next_deadline, self.pass_time)
        self.ticks = 0
        self._tasks = tasks
        self._clock = Clock()
        self._engine = engine
        self._store = store
        self._waiting: deque[Input] = deque()
        self._heard: deque[tuple[_Handle, str | bytes]] = deque()
        self._stepping = False
        self._stopped = False
        self._tick_ending = anyio.Event()
        self._somebody_left = anyio.Event()
        performers = {
            Deliver: self.deliveries.deliver,
            Broadcast: self.deliveries.broadcast,
            Attach: self.deliveries.attach,
            Detach: self.deliveries.detach,
            Close: self.deliveries.close,
            Answer: self._answer,
            **dict.fromkeys(get_args(StoreEffect), self.calls.perform),
        }
        self._performers = cast("dict[type[Effect], Callable[[Effect], None]]", performers)

    # Driving the engine

    def step(self, given: Input) -> None:
        """Let the engine judge an input, and do what it says. Never raises, never waits."""
        if self._stopped:
            return
        self._waiting.append(given)
        if self._stepping:
            return
        self._stepping = True
        gone = self.deliveries.watchers.gone
        now = self._clock.read()
        try:
            while self._waiting or gone:
                following = Unwatched(gone.popleft()) if gone else self._waiting.popleft()
                self._judge(following, now)
        finally:
            self._stepping = False
        deadline = self._engine.next_deadline
        if deadline is not None and deadline <= now.mono:
            self._tick_ending.set()
            return
        self.alarm.look(deadline)
        if self.deliveries.pending:
            self._tick_ending.set()

    def hear(self, handle: _Handle, frame: str | bytes) -> None:
        """Have a frame handled when the tick ends: at once would be outside of any task."""
        self._heard.append((handle, frame))
        self._tick_ending.set()

    def take_in(self) -> None:
        """Handle every frame that was heard."""
        heard = self._heard
        while heard:
            handle, frame = heard.popleft()
            handle(frame)

    def pass_time(self) -> None:
        """Step `Tick` while a deadline is due."""
        for _ in range(_TICKS_IN_A_ROW):
            deadline = self._engine.next_deadline
            if deadline is None or deadline > self._clock.mono():
                return
            self.step(Tick())

    async def end_ticks(self) -> None:
        """At the end of each loop tick, handle what was heard, pass time, and hand out what was
        said. Until cancelled."""
        while True:
            await self._tick_ending.wait()
            self._tick_ending = anyio.Event()
            self.ticks += 1
            self.take_in()
            self.pass_time()
            self.deliveries.flush()

    def start(self, tasks: TaskGroup) -> None:
        """Begin to pass time, to end ticks and to listen to the store."""
        for name, run in (
            ("alarm", self.alarm.run),
            ("ticks", self.end_ticks),
            ("feed", self._listen),
        ):
            tasks.start_soon(self._keep_running, name, run, name=f"roomkit {name}")

    async def _listen(self) -> None:
        await listen(self._store, self.step, self.limits, self.complaints)

    async def _keep_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await run()
            except Exception as error:  # noqa: BLE001 - the hub lives without a moment of it
                self.complaints.bug(f"task {name}", f"the hub's task {name!r} failed", error)
            await anyio.sleep(self.limits.retry_base_ms / 1000)

    def stop(self) -> None:
        """Do nothing more: the tasks that would are about to end."""
        self._stopped = True
        self.requests.abandon()
        self.deliveries.watchers.finish()

    def _judge(self, given: Input, now: Now) -> None:
        try:
            effects = self._engine.step(given, now)
        except Exception as error:  # noqa: BLE001 - one bad input must not take everybody down
            kind = type(given).__name__
            self.complaints.bug(f"engine {kind}", f"the engine failed at {kind}", error)
            if isinstance(given, _OF_A_CONNECTION):
                self.deliveries.give_up(given.connection)
            return
        for effect in effects:
            try:
                self._performers[type(effect)](effect)
            except Exception as error:  # noqa: BLE001 - the effects after it are still due
                kind = type(effect).__name__
                self.complaints.bug(f"effect {kind}", f"{kind} could not be performed", error)

    def _answer(self, effect: Answer) -> None:
        self.requests.answer(effect.request, effect.event)

    # Connections and the host

    def admit(self, transport: Transport) -> Connection:
        """Take on an accepted websocket."""
        name = ConnectionId(mint())
        connection = Connection(
            name, transport, self.limits, self.counters, self.complaints, self._tasks
        )
        self.deliveries.add(connection)
        self.step(Connected(name))
        return connection

    def open(self, opened: Opened) -> None:
        """The handshake of a connection succeeded."""
        self.deliveries.speaks(opened.connection, opened.protocol)
        self.step(opened)

    def tell(self, connection: ConnectionId, event: Event) -> None:
        """Say something to a connection the engine has not been told the user of."""
        self.deliveries.deliver(Deliver(connection, event))
        self._tick_ending.set()

    def report_closed(self, connection: Connection) -> None:
        """Tell the engine, once, that a connection is gone."""
        if self.deliveries.remove(connection.id):
            self.step(Closed(connection.id))

    def dismiss(self, connection: Connection) -> None:
        """Hold nothing for a connection any more."""
        self.report_closed(connection)
        connection.release()
        self.deliveries.forget(connection.id)
        self._somebody_left.set()

    def watch(self, room: RoomId) -> RoomEvents:
        """Begin to watch a room."""
        events = self.deliveries.watchers.watch(room)
        self.step(Watched(room))
        return events

    async def emptied(self) -> None:
        """Wait until no connection is left."""
        while len(self.deliveries):
            self._somebody_left = anyio.Event()
            await self._somebody_left.wait()

    def stats(self) -> HubStats:
        """Return what the hub looks like now."""
        outboxes = [connection.outbox for connection in self.deliveries]
        return HubStats(
            connections=len(outboxes),
            rooms=self.deliveries.rooms,
            waiting_bytes=sum(outbox.waiting for outbox in outboxes),
            received=self.counters.received,
            delivered=self.counters.delivered
            + self.deliveries.delivered
            + sum(outbox.delivered for outbox in outboxes),
            shed=self.counters.shed + sum(outbox.shed for outbox in outboxes),
            closes=dict(self.counters.closes),
            durability=self.deliveries.durability,
        )
