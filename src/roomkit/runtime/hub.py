"""The hub: what a host enters, gives its websockets to, and talks to its rooms through."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from os import PathLike
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

import anyio
from anyio.abc import TaskGroup, TaskStatus

from roomkit.core.events import Event, User
from roomkit.core.inputs import HostCommand
from roomkit.core.names import check_room
from roomkit.core.policy import Action, Policy, allow_own
from roomkit.errors import HubNotRunning
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.runtime.handshake import Authenticate, Identities, mint
from roomkit.runtime.host_rooms import HostRooms
from roomkit.runtime.node import Node
from roomkit.runtime.origins import accepts_origin
from roomkit.runtime.recorder import BlackBox, running_engine
from roomkit.runtime.serving import drain, serve
from roomkit.runtime.stats import HubStats
from roomkit.runtime.tokens import Tokens
from roomkit.runtime.transport import Handshake, Transport
from roomkit.runtime.watchers import RoomEvents
from roomkit.stores import MemoryStore, Store
from roomkit.trace import RECORD_MIB

__all__ = ["Hub"]

_DEFAULT_LIMITS = Limits()
_Answer = TypeVar("_Answer", bound=Event)


class _Running(NamedTuple):
    """What there is only while the hub is entered: in `tasks` one that runs until `leaving`."""

    node: Node
    leaving: anyio.Event
    tasks: TaskGroup


class Hub(HostRooms):
    """Chat rooms, running for as long as it is entered.

    ```python
    hub = Hub(authenticate=who_is_it)
    app = Starlette(routes=[WebSocketRoute("/ws", chat_endpoint(hub))], lifespan=hub.lifespan)
    ```

    Leaving it is a graceful drain: clients are told to come back, waited for and, after
    `Limits.close_ms`, cut off. It may be entered again afterwards. One hub belongs to one event
    loop; several in one process do not see each other, unless through a store they share.

    Args:
        store: where rooms are kept; by default in memory. Each hub needs a handle of its own.
        limits: every limit and period; the same for every node of one service.
        policy: who may do what where; asked at every command, so it must be quick and may not
            block.
        authenticate: who is behind a request; without it everybody is a guest.
        secret: signs tokens, the same on every node, 16 bytes or more; by default one the store
            keeps.
        origins: sites other than our own whose pages may connect, like `https://chat.example.org`.
        record: a folder of this hub's own for a trace of all that goes in, messages included.
        record_mib: the most the trace may take; the oldest of it goes first.

    Raises:
        ValueError: the secret is too short, or the trace has no room.
    """

    def __init__(
        self,
        *,
        store: Store | None = None,
        limits: Limits = _DEFAULT_LIMITS,
        policy: Policy = allow_own,
        authenticate: Authenticate | None = None,
        secret: str | bytes | None = None,
        origins: Sequence[str] = (),
        record: str | PathLike[str] | None = None,
        record_mib: int = RECORD_MIB,
    ) -> None:
        self._store = MemoryStore(limits=limits) if store is None else store
        self._limits = limits
        self._policy = policy
        self._authenticate = authenticate
        given = secret.encode() if isinstance(secret, str) else secret
        self._tokens = None if given is None else Tokens(given)
        self._origins = frozenset(origin.lower() for origin in origins)
        self._black_box = None if record is None else BlackBox(record, record_mib)
        self._running: _Running | None = None
        self._entered = False
        self._last_stats = HubStats(durability=self._store.durability)

    # Running

    async def __aenter__(self) -> Self:
        """Open the store and begin to serve.

        Raises:
            HubNotRunning: it runs already.
            StoreError: the store cannot be opened.
            TraceError: the trace cannot be written.
        """
        if self._entered:
            raise HubNotRunning(
                "this hub runs already and cannot be entered twice: enter it in one place, the "
                "application's lifespan say, or make another hub"
            )
        self._entered = True
        leaving, tasks = anyio.Event(), anyio.create_task_group()
        await tasks.__aenter__()
        try:
            node = await tasks.start(self._run, leaving, name="roomkit hub")
        except BaseException:
            self._entered = False
            await tasks.__aexit__(None, None, None)
            raise
        self._running = _Running(node, leaving, tasks)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send everybody away and stop. Takes at most three times `Limits.close_ms`; not to be
        cancelled."""
        node, leaving, tasks = self._require()
        leaving.set()
        try:
            await tasks.__aexit__(None, None, None)
        finally:
            self._last_stats = node.stats()
            self._running, self._entered = None, False

    async def _run(self, leaving: anyio.Event, *, task_status: TaskStatus[Node]) -> None:
        """Run a node until it is left, and drain it: out of reach of what cancels its host."""
        with anyio.CancelScope() as life:
            async with self._store.open():
                tokens = self._tokens or Tokens(await self._store.secret())
                identities = Identities(self._authenticate, tokens, self._limits)
                limits, policy = self._limits, self._policy
                box = running_engine(self._black_box, limits=limits, mint=mint, policy=policy)
                async with box as engine, anyio.create_task_group() as tasks:
                    node = Node(engine, self._store, self._limits, identities, tasks)
                    node.start(tasks)
                    life.shield = True
                    task_status.started(node)
                    await leaving.wait()
                    await drain(node)
                    node.stop()
                    tasks.cancel_scope.cancel()

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncGenerator[None]:
        """Run the hub while an application runs: Starlette's and FastAPI's `lifespan`."""
        async with self:
            yield

    # Connections

    def serve(self, transport: Transport) -> Coroutine[object, object, None]:
        """Serve one accepted websocket until it is closed, by whichever side, and then forget it.

        Raises nothing because of the peer. Cancelling it drops the connection.

        Raises:
            HubNotRunning: the hub is not entered.
        """
        return serve(self._require().node, transport)

    def accepts_origin(self, headers: Mapping[str, str]) -> bool:
        """Say whether the page behind a request may connect; if not, answer 403 instead of
        accepting.

        Args:
            headers: request headers, names in lower case.
        """
        return accepts_origin(headers, self._origins)

    async def identify(self, handshake: Handshake) -> User | None:
        """Return who is behind a request, as `serve` would find: the hook's answer, or a guest.

        A guest is the one of `handshake.token`, if that is a guest token of ours, else a new one;
        its username is empty.

        Raises:
            HubNotRunning: the hub is not entered.
            TimeoutError: the hook took longer than `Limits.handshake_ms`.
            TypeError: the hook returned something else than a `User` or None.
            Refused: the hook's user has a name nobody may have.
        """
        return await self._require().node.identities.identify(handshake)

    def allows(self, user: User, room: str, action: Action) -> bool:
        """Say what the policy says, for whatever is asked without a websocket.

        Raises:
            Refused: bad_argument; the room's name is none.
        """
        return self._policy(user, check_room(room, self._limits), action)

    # Rooms, without a socket; the others are in `HostRooms`.

    async def rooms(self, after: str | None = None, limit: int = 100) -> list[RoomId]:
        """Return the rooms that have a log, in code point order, from the first one above `after`.

        Raises:
            StoreError: the store could not say.
        """
        self._require()
        return list(await self._store.rooms(None if after is None else RoomId(after), limit))

    def events(self, room: str) -> RoomEvents:
        """Watch a room: the events everybody in it is sent, from now on.

        ```python
        async with hub.events("general") as events:
            async for event in events:
                ...
        ```

        A plain `async for event in hub.events("general")` does too.

        Raises:
            Refused: bad_argument; the room's name is none.
        """
        return self._require().node.watch(check_room(room, self._limits))

    # Looking at it

    @property
    def limits(self) -> Limits:
        """Every limit and period."""
        return self._limits

    @property
    def running(self) -> bool:
        """Whether the hub is entered and not being left."""
        return self._running is not None and not self._running.leaving.is_set()

    @property
    def durability(self) -> str:
        """What the store promises of a message that was acknowledged, by name."""
        return self._store.durability

    @property
    def stats(self) -> HubStats:
        """The hub at this moment; after it was left, as it was then."""
        return self._last_stats if self._running is None else self._running.node.stats()

    async def _ask(self, command: HostCommand, kind: type[_Answer]) -> _Answer:
        node = self._require().node
        answer = await node.requests.ask(node.step, command)
        if not isinstance(answer, kind):
            raise TypeError(f"the engine answered with {type(answer).__name__}")
        return answer

    def _require(self) -> _Running:
        if self._running is None:
            raise HubNotRunning(
                "the hub is not running: use it inside `async with hub:`, or give hub.lifespan to "
                "the application"
            )
        return self._running
