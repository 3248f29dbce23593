"""The client for asyncio and trio: a machine, a socket, and one timer."""

from __future__ import annotations

import math
import random
import secrets
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from roomkit.client import asks
from roomkit.client.asks import (
    Answered,
    Ask,
    Connect,
    Connectivity,
    Disconnect,
    Happened,
    Output,
    Rejected,
    StateChanged,
    Transmit,
)
from roomkit.client.connection import GOODBYE_SECONDS, Attempt, Endpoint
from roomkit.client.errors import ChatStopped
from roomkit.client.events import Event
from roomkit.client.link import Identity
from roomkit.client.machine import Machine
from roomkit.client.room import Room
from roomkit.client.socket import check_url
from roomkit.client.ticket import Ticket
from roomkit.client.view_data import Message, Problem, Record, RoomView, User, View

__all__ = ["Chat", "Token", "connect"]

Token = str | Callable[[], Awaitable[str]]
"""The host's token, or what fetches a fresh one before each connection.

An OSError that it raises is a connection that failed; any other error ends the block of `connect`.
"""


@asynccontextmanager
async def connect(
    url: str,
    *,
    username: str | None = None,
    token: Token | None = None,
    session: str | None = None,
    client: str = "roomkit-python",
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[Chat]:
    """Be connected to a chat while the block lasts; the client comes back by itself.

    It returns at once: what needs the connection waits for it, and goes on after a cut. At the end
    the rooms are left and the connection is closed, which takes at most a second.

    Args:
        url: of the websocket, `ws://` or `wss://`.
        username: the name a guest would like.
        token: who we are: the host's token, or the `token` of an earlier `Chat.identity`.
        session: which tab we are, from an earlier `Chat.identity`; not for two clients at once.
        client: name and version of the program, for the server's logs.
        headers: added to the request that opens the websocket.
        tls: for `wss://`: how to trust the server; by default as the system does.

    Raises:
        ValueError: the URL is no websocket's.
    """
    check_url(url)
    chat = Chat(username=username, token=token, session=session, client=client)
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        chat.begin(tasks, Endpoint(url, dict(headers or {}), tls, chat.prepare))
        try:
            yield chat
        except Exception as error:  # noqa: BLE001 - raised again below, outside the task group
            failure = error
        finally:
            await chat.end()
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


class Chat:
    """One client. Made by `connect`; one task group runs it, in one event loop."""

    def __init__(
        self, *, username: str | None, token: Token | None, session: str | None, client: str
    ) -> None:
        self._token = token
        self._machine = Machine(
            random=random.random,
            mint=lambda: secrets.token_urlsafe(12),
            username=username,
            token=token if isinstance(token, str) else None,
            session=session,
            client=client,
        )
        self._rooms: dict[str, Room] = {}
        self._tickets: dict[int, Ticket] = {}
        self._last_ticket = 0
        self._told = self._machine.view
        self._changed = anyio.Event()
        self._alarm = anyio.Event()
        self._alarm_at = math.inf
        self._attempt: Attempt | None = None
        self._ending = False
        self._endpoint: Endpoint | None = None
        self._tasks: TaskGroup | None = None

    @property
    def view(self) -> View:
        """Everything that is known now; a value, never changed in place."""
        return self._machine.view

    @property
    def user(self) -> User | None:
        """Who we are; None before the first connection."""
        return self._machine.view.user

    @property
    def state(self) -> Connectivity:
        """offline (until the next attempt), connecting, online or stopped."""
        return self._machine.state

    @property
    def problem(self) -> Problem | None:
        """Why it is stopped or offline, if the server said."""
        return self._machine.problem

    @property
    def identity(self) -> Identity:
        """What brings us back as the same user and tab: for `token` and `session` of `connect`."""
        return self._machine.identity

    @property
    def limits(self) -> Mapping[str, int]:
        """The server's limits by name; the defaults until it has told its own."""
        return self._machine.limits

    def room(
        self,
        name: str,
        *,
        history: int | None = None,
        meta: Mapping[str, object] | None = None,
        username: str | None = None,
    ) -> Room:
        """Be in a room, now or as soon as there is a connection, until `Room.leave`.

        Asked again, it is the same room; one that was left or refused is joined again.

        Args:
            history: how many of the newest messages to bring, 0 to 50; by default 20.
            meta: shown to others in `occupants`; at most 512 bytes of JSON.
            username: the name a guest in no room would like.
        """
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(self, name)
        self.tell(asks.Join(name, history, meta, username))
        return room

    async def online(self) -> None:
        """Wait until there is a connection.

        Raises:
            ChatStopped: the client has stopped.
        """
        await self.until(lambda: self.state == "online")

    async def states(self) -> AsyncIterator[Connectivity]:
        """Iterate over the state: as it is now, then as it changes; ends after stopped.

        A reader that is slow misses states that are over.
        """
        last: Connectivity | None = None
        while last != "stopped":
            while self.state == last:
                await self._changed.wait()
            last = self.state
            yield last

    def hint(self) -> None:
        """The network may be back: do not wait for a long timer."""
        self._perform(self._machine.hint(self._now()))

    # For its rooms

    def tell(self, ask: Ask) -> None:
        """Ask for what needs no answer."""
        self._perform(self._machine.ask(ask, self._now()))

    async def ask(self, ask: Ask) -> Record:
        """Ask, and wait for the answer."""
        number, ticket = self._ask(ask)
        try:
            await ticket.answered.wait()
        finally:
            self._tickets.pop(number, None)
        return ticket.result()

    async def send(self, ask: asks.Send) -> Message:
        """Post a message; see `Room.send`."""
        known = {pending.key for pending in self.room_view(ask.room).pending}
        number, ticket = self._ask(ask)
        rest = [one.key for one in self.room_view(ask.room).pending if one.key not in known]
        try:
            await ticket.answered.wait()
        finally:
            self._tickets.pop(number, None)
            if rest and not ticket.answered.is_set():
                self.tell(asks.Discard(ask.room, rest[0]))
        return cast("Message", ticket.result())

    async def until(self, come_true: Callable[[], bool]) -> None:
        """Wait until the view or the state is so.

        Raises:
            ChatStopped: it will not be.
        """
        await checkpoint()
        while not come_true():
            stopped = self.stopped()
            if stopped is not None:
                raise stopped
            await self._changed.wait()

    def room_view(self, name: str) -> RoomView:
        """Return what is known of a room that was asked for."""
        return self._machine.view.rooms[name]

    def stopped(self) -> Exception | None:
        """Return what to raise if nothing more will be answered."""
        if self.state != "stopped":
            return None
        return ChatStopped(self.problem or asks.STOPPED)

    @property
    def ending(self) -> bool:
        """True once the program is leaving `connect`: readers then just end."""
        return self._ending

    # For `connect`

    def begin(self, tasks: TaskGroup, endpoint: Endpoint) -> None:
        """Start to connect."""
        self._tasks, self._endpoint = tasks, endpoint
        tasks.start_soon(self._keep_time)
        self._perform(self._machine.start(self._now()))

    async def prepare(self) -> None:
        """Fetch a fresh token, if that is how they come."""
        if callable(self._token):
            self._machine.present(await self._token())

    async def end(self) -> None:
        """Stop, and give the goodbye its time."""
        attempt = self._attempt
        self._ending = True
        self._perform(self._machine.stop(self._now()))
        if attempt is not None:
            with anyio.move_on_after(GOODBYE_SECONDS, shield=True):
                await attempt.over.wait()

    # The machine's inputs and outputs

    def _ask(self, ask: Ask) -> tuple[int, Ticket]:
        self._last_ticket += 1
        number, ticket = self._last_ticket, Ticket()
        self._tickets[number] = ticket
        self._perform(self._machine.ask(ask, self._now(), number))
        return number, ticket

    def _opened(self, attempt: Attempt) -> None:
        if attempt is self._attempt:
            self._perform(self._machine.opened(self._now()))

    def _received(self, attempt: Attempt, frame: bytes) -> None:
        if attempt is self._attempt:
            self._perform(self._machine.received(frame, self._now()))

    def _closed(self, attempt: Attempt, code: int) -> None:
        if attempt is self._attempt:
            self._attempt = None
            self._perform(self._machine.closed(code, self._now()))

    def _perform(self, outputs: list[Output]) -> None:
        """Do what the machine says, and wake whoever waits for something new."""
        for output in outputs:
            match output:
                case Transmit(frame):
                    if self._attempt is not None:
                        self._attempt.transmit(frame)
                case Happened(name, type_, data):
                    if name is not None and name in self._rooms:
                        self._rooms[name].offer(Event(name, type_, data))
                case Answered(number) | Rejected(number):
                    if number in self._tickets:
                        self._tickets[number].answer(output, self.stopped())
                case Connect(after_ms):
                    self._connect(after_ms)
                case Disconnect(code, reason):
                    if self._attempt is not None:
                        self._attempt.let_go(code, reason)
                        self._attempt = None
                case StateChanged():
                    pass
        for room in self._rooms.values():
            room.settle()
        if outputs or self._machine.view is not self._told:
            self._told = self._machine.view
            self._changed.set()
            self._changed = anyio.Event()
        deadline = self._machine.next_deadline
        if deadline is not None and deadline < self._alarm_at:
            self._alarm.set()

    def _connect(self, after_ms: int) -> None:
        assert self._tasks is not None and self._endpoint is not None
        if self._attempt is not None:
            self._attempt.let_go(1000, "")
        attempt = self._attempt = Attempt(self._endpoint, after_ms)
        self._tasks.start_soon(attempt.run, self._opened, self._received, self._closed)

    async def _keep_time(self) -> None:
        while True:
            deadline = self._machine.next_deadline
            self._alarm = anyio.Event()
            self._alarm_at = math.inf if deadline is None else deadline
            wait = math.inf if deadline is None else max(0, deadline - self._now()) / 1000
            with anyio.move_on_after(wait):
                await self._alarm.wait()
            self._perform(self._machine.tick(self._now()))

    def _now(self) -> int:
        return int(anyio.current_time() * 1000)
