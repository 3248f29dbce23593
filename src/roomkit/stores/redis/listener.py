"""What other handles publish in followed rooms, heard over a connection that may break at any time.

No library notices a link that went silent, so the listener publishes for itself, and what it does
not hear in time it takes for a broken link. Whatever breaks, the feed says `Interrupted` once
everything is subscribed again; so it does when the server became another one (`master_replid`).
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from secrets import token_hex

import anyio

from roomkit.core.storage import Hint, Interrupted, StoreFeed, StoreSignal
from roomkit.errors import StoreError
from roomkit.ids import RoomId
from roomkit.stores.handles import Feed
from roomkit.stores.redis.keys import Keys
from roomkit.stores.redis.rows import entries_in
from roomkit.stores.redis.server import TIMEOUT_S, Server, Subscriber

__all__ = ["Listener"]

CANARY_S = 2.0
"""How often it publishes for itself; of a link silent for three times that it despairs."""

_PAUSES_S = (0.0, 0.1, 0.5, 1.0, 2.0)
_ID_CHARS = 16
_HINT, _SIGNAL = b"h", b"s"

_log = logging.getLogger("roomkit")


class Listener:
    """The ear of one handle.

    Attributes:
        handle: names this handle in what it publishes; 16 characters.
        feed: where to put what is heard; None while nobody reads.
    """

    def __init__(self, server: Server, keys: Keys) -> None:
        self.handle = token_hex(_ID_CHARS // 2)
        self.feed: Feed | None = None
        self._server = server
        self._keys = keys
        self._rooms: dict[str, RoomId] = {}
        self._subscribed: dict[str, anyio.Event] = {}
        self._subscriber: Subscriber | None = None
        self._canary = keys.canary(self.handle)
        self._heard_at = 0.0
        self._server_was: object = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Listen until this is left."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run, name="roomkit redis listener")
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()

    async def follow(self, room: RoomId) -> None:
        """Hear a room from now on; if that cannot be said now, the feed tells when it can."""
        channel = self._keys.channel(room)
        if channel not in self._rooms:
            self._rooms[channel] = room
            self._subscribed[channel] = anyio.Event()
            if self._subscriber is not None:
                with contextlib.suppress(StoreError):  # the next connection will hear it
                    await self._subscriber.subscribe(channel)
        with anyio.move_on_after(TIMEOUT_S):
            await self._subscribed[channel].wait()

    async def unfollow(self, room: RoomId) -> None:
        """Hear a room no more."""
        channel = self._keys.channel(room)
        if self._rooms.pop(channel, None) is not None:
            del self._subscribed[channel]
            if self._subscriber is not None:
                with contextlib.suppress(StoreError):
                    await self._subscriber.unsubscribe(channel)

    def signal(self, payload: bytes) -> bytes:
        """Return a signal as it is published."""
        return _SIGNAL + self.handle.encode() + payload

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                async with self._server.subscriber() as subscriber:
                    await self._listen(subscriber)
            except* StoreError as errors:
                if self._subscriber is not None:
                    failures = 0
                error = errors.exceptions[0]
                _log.warning("the feed of the store is interrupted and comes back: %s", error)
            self._subscriber = None
            for channel in self._rooms:
                self._subscribed[channel] = anyio.Event()
            await anyio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
            failures += 1

    async def _listen(self, subscriber: Subscriber) -> None:
        """Hear until the connection breaks.

        Raises:
            StoreError: it did; in a group.
        """
        self._heard_at = anyio.current_time()
        self._subscriber = subscriber  # what is followed from here on asks for itself
        await subscriber.subscribe(*self._rooms, self._canary)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._sing)
            while True:
                kind, channel, content = await subscriber.hear()
                self._heard_at = anyio.current_time()
                if kind == "message":
                    self._take(channel, content)
                elif kind == "subscribe" and channel == self._canary:
                    self._put(Interrupted())  # everything before it is subscribed now
                elif kind == "subscribe" and channel in self._subscribed:
                    self._subscribed[channel].set()

    async def _sing(self) -> None:
        while True:
            with anyio.move_on_after(TIMEOUT_S), contextlib.suppress(StoreError):
                await self._server.call("PUBLISH", self._canary, "")
                server = (await self._server.facts("replication")).get("master_replid")
                if self._server_was not in (None, server):
                    self._put(Interrupted())
                self._server_was = server
            await anyio.sleep(CANARY_S)
            silent = anyio.current_time() - self._heard_at
            if silent > 3 * CANARY_S:
                raise StoreError(f"the server has not been heard for {silent:.0f} s")

    def _take(self, channel: str, content: bytes) -> None:
        room = self._rooms.get(channel)
        kind, handle = content[:1], content[1 : 1 + _ID_CHARS]
        if room is None or handle == self.handle.encode():
            return
        rest = content[1 + _ID_CHARS :]
        if kind == _SIGNAL:
            self._put(StoreSignal(room, rest))
            return
        try:
            self._put(Hint(room, tuple(entries_in(rest))))
        except ValueError:
            self._put(Hint(room, ()))  # of another version: worth a look all the same

    def _put(self, item: StoreFeed) -> None:
        if self.feed is not None:
            self.feed.put(item)
