"""A connection that hears one server, and may break at any time.

No library notices a link that went silent, so an ear publishes for itself, and what it does not
hear in time it takes for a broken link.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

import anyio

from roomkit.errors import StoreError
from roomkit.stores.redis.server import TIMEOUT_S, Host, Server, Subscriber

__all__ = ["Ear"]

_MARK_MS = 60_000
CANARY_S = 2.0
"""How often it publishes for itself; of a link silent for three times that it despairs."""


class Ear:
    """Hears some channels of one server.

    Args:
        server: which.
        take: given the channel and content of everything heard.
        interrupted: called when something may have been missed, and no longer is.
        changed: called when the server has become another one.
        has_left: tells whether another one leads than the one at the other end of a connection.

    Attributes:
        channels: what it is to hear; each event is set once it does.
        heard: it was connected, the last time it listened.
    """

    def __init__(
        self,
        server: Server,
        take: Callable[[str, bytes], None],
        interrupted: Callable[[], None],
        changed: Callable[[Server], None],
        has_left: Callable[[Host | None], Awaitable[bool]],
    ) -> None:
        self.server = server
        self.channels: dict[str, anyio.Event] = {}
        self.heard = False
        self._canary = ""
        self._take = take
        self._interrupted = interrupted
        self._changed = changed
        self._has_left = has_left
        self._subscriber: Subscriber | None = None
        self._heard_at = 0.0
        self._found: tuple[object, object] | None = None

    async def hear(self, *channels: str) -> None:
        """Hear some channels from now on; wait until that is so."""
        new = [channel for channel in channels if channel not in self.channels]
        for channel in new:
            self.channels[channel] = anyio.Event()
        if new and self._subscriber is not None:
            with contextlib.suppress(StoreError):  # the next connection will hear them
                await self._subscriber.subscribe(*new)
        for channel in channels:
            if channel in self.channels:
                await self.channels[channel].wait()

    async def forget(self, channel: str) -> None:
        """Hear a channel no more."""
        self.drop(channel)
        if self._subscriber is not None:
            with contextlib.suppress(StoreError):
                await self._subscriber.unsubscribe(channel)

    def drop(self, channel: str) -> None:
        """Leave a channel to whoever hears it from now on; nobody waits for it here any more."""
        if channel in self.channels:
            self.channels.pop(channel).set()

    async def listen(self, canary: str) -> None:
        """Hear until the connection breaks.

        Args:
            canary: a channel, and key, of its own that this server has now.

        Raises:
            StoreError: it did, or a channel has moved to another server; in a group.
        """
        self.heard, self._canary = False, canary
        try:
            async with self.server.subscriber() as subscriber, anyio.create_task_group() as tasks:
                self._heard_at = anyio.current_time()
                self._subscriber = subscriber  # what is added from here on asks for itself
                await subscriber.subscribe(*self.channels, self._canary)
                tasks.start_soon(self._sing, subscriber)
                while True:
                    await self._hear_one(subscriber)
        finally:
            self._subscriber = None
            for channel, event in self.channels.items():
                if event.is_set():  # who waits for one that is not goes on waiting
                    self.channels[channel] = anyio.Event()

    async def _hear_one(self, subscriber: Subscriber) -> None:
        kind, channel, content = await subscriber.hear()
        self._heard_at = anyio.current_time()
        if kind == "message":
            self._take(channel, content)
        elif kind == "subscribe" and channel == self._canary:
            self.heard = True
            self._interrupted()  # everything before it is subscribed now
        elif kind == "subscribe" and channel in self.channels:
            self.channels[channel].set()
        elif kind == "unsubscribe" and channel in {*self.channels, self._canary}:
            raise StoreError("a room has moved to another server")

    async def _sing(self, subscriber: Subscriber) -> None:
        while True:
            with anyio.move_on_after(TIMEOUT_S), contextlib.suppress(StoreError):
                await self.server.publish(self._canary, b"")
                await self._look()
            with anyio.move_on_after(TIMEOUT_S):
                if await self._has_left(subscriber.host):
                    raise StoreError("another server leads now")
            await anyio.sleep(CANARY_S)
            silent = anyio.current_time() - self._heard_at
            if silent > 3 * CANARY_S:
                raise StoreError(f"the server has not been heard for {silent:.0f} s")

    async def _look(self) -> None:
        """Tell if the server became another one, was emptied, or has forgotten something.

        A key of our own is gone once everything is; and when nobody looked for a minute.
        """
        there = await self.server.call("SET", self._canary, "", "PX", _MARK_MS, "GET")
        facts = await self.server.facts("replication", "stats")
        server = facts.get("master_replid")
        found = (server, facts.get("evicted_keys"))
        if self._found is not None and (there is None or found != self._found):
            self._interrupted()
            if server != self._found[0]:
                self._changed(self.server)
        self._found = found
