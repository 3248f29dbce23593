"""The server of a scenario: the real engine and codec, and tokens that are not random."""

from __future__ import annotations

import itertools

from roomkit.core.commands import Hello
from roomkit.core.events import Event, Welcomed
from roomkit.core.inputs import Connected, Garbled
from roomkit.core.policy import Policy
from roomkit.ids import ConnectionId
from roomkit.limits import Limits
from roomkit.stores.memory import MemoryStore
from roomkit.testing.world import Node, World
from roomkit.wire import Codec, WireError

__all__ = ["Server"]


class Server:
    """One node at a time, and the connection of the client under test.

    Attributes:
        connection: the client's, while it is open.
        guests: False if users are known by their tokens, `token-alice` for one.
    """

    def __init__(self, limits: Limits, policy: Policy, guests: bool) -> None:
        self.world = World(limits, policy)
        self.node: Node = self.world.node()
        self.connection: ConnectionId | None = None
        self.guests = guests
        self._codec = Codec(limits)
        self._opened = itertools.count(1)
        self._guests = itertools.count(1)
        self._sessions = itertools.count(1)
        self._guest_token: str | None = None
        self._greeted = False

    def connect(self) -> None:
        """The client's connection is accepted."""
        self.connection = ConnectionId(f"c{next(self._opened)}")
        self._greeted = False
        self.node.received[self.connection] = []
        self.node.protocols[self.connection] = 2
        self.node.step(Connected(self.connection))

    def drop(self) -> None:
        """The client's connection is gone."""
        if self.connection is not None and self.connection in self.node.protocols:
            self.node.drop(self.connection)
        self.connection = None

    def restart(self, limits: Limits | None = None) -> None:
        """Kill the node and start another on the same store, with other limits if given."""
        if limits is not None:
            self.world.limits, self._codec = limits, Codec(limits)
        self.world.nodes.remove(self.node)
        self.connection = None
        self.node = self.world.node()

    def lose_store(self) -> None:
        """Put an empty store in the place of the node's, as a failover without a replica does."""
        clock = self.world.clock
        store = MemoryStore(limits=self.world.limits, clock=clock.seconds)
        self.world.handle, self.node.store = store.another, store

    def receive(self, frame: str) -> None:
        """The client sent a frame."""
        connection = self.connection
        assert connection is not None
        try:
            command = self._codec.decode(frame, 2 if self._greeted else 0)
        except WireError as error:
            self.node.step(Garbled(connection, error.code, error.message, error.ref, error.room))
            return
        if isinstance(command, Hello):
            self._greet(connection, command)
        else:
            self.node.send(connection, command)

    def take(self) -> list[bytes]:
        """Return the frames for the client since this was last asked."""
        if self.connection is None:
            return []
        return [self.encode(event) for event in self.node.take(self.connection)]

    def encode(self, event: Event) -> bytes:
        """Return the frame that tells an event."""
        if not isinstance(event, Welcomed):
            return self._codec.encode(event, 2)[0]
        return self._codec.encode_welcome(
            event,
            connection_id=self.connection or ConnectionId(""),
            session_token=f"session-{event.session}",
            guest_token=self._guest_token,
            durability=self.node.store.durability,
            features=(),
        )

    def close_code(self) -> int | None:
        """Return the code the server closes the client's connection with, if it does."""
        return None if self.connection is None else self.node.closes.get(self.connection)

    def _greet(self, connection: ConnectionId, hello: Hello) -> None:
        self._greeted = True
        token, session = hello.token, hello.session
        if self.guests:
            known = token is not None and token.startswith("guest-token-")
            self._guest_token = token if known else f"guest-token-{next(self._guests)}"
            assert self._guest_token is not None
            user_id = self._guest_token.replace("-token", "")
            username = hello.username or ""
        else:
            self._guest_token = None
            username = (token or "token-nobody").removeprefix("token-")
            user_id = f"u-{username}"
        fresh = f"s{next(self._sessions)}"
        self.node.open(
            connection,
            username,
            session=session.removeprefix("session-") if session else fresh,
            user_id=user_id,
            guest=self.guests,
        )
