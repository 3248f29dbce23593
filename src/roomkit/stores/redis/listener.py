"""What other handles publish in followed rooms, whichever servers those are at."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any, TypeVar

import anyio
from anyio.abc import TaskGroup

from roomkit.core.storage import Hint, Interrupted, StoreFeed, StoreSignal
from roomkit.errors import StoreError
from roomkit.ids import RoomId
from roomkit.stores.handles import Feed
from roomkit.stores.redis.durability import Durability
from roomkit.stores.redis.ear import Ear
from roomkit.stores.redis.keys import Keys
from roomkit.stores.redis.rows import entries_in
from roomkit.stores.redis.server import TIMEOUT_S, Server
from roomkit.stores.redis.servers import Servers

__all__ = ["Listener"]

_PAUSES_S = (0.0, 0.1, 0.5, 1.0, 2.0)
_ID_CHARS = 16
_CANARIES = 300_000  # names tried; one of 16,384 slots is found in fewer, almost surely
_HINT, _SIGNAL = b"h", b"s"

_T = TypeVar("_T")

_log = logging.getLogger("roomkit")


class Listener:
    """Everything one handle hears: an ear for each server that has a followed room.

    Whatever breaks, the feed says `Interrupted` once everything is subscribed again; so it does
    when a server became another one. Channels whose room has moved go to the ear at its server.

    Attributes:
        handle: names this handle in what it publishes; 16 characters.
        feed: where to put what is heard; None while nobody reads.
    """

    def __init__(self, servers: Servers, keys: Keys, durability: Durability) -> None:
        self.handle = token_hex(_ID_CHARS // 2)
        self.feed: Feed | None = None
        self._servers = servers
        self._keys = keys
        self._durability = durability
        self._rooms: dict[str, RoomId] = {}
        self._ears: dict[Server, Ear] = {}
        self._tasks: TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Listen until this is left."""
        async with anyio.create_task_group() as self._tasks:
            try:
                yield
            finally:
                self._tasks.cancel_scope.cancel()

    async def follow(self, room: RoomId) -> None:
        """Hear a room from now on; if that cannot be said now, the feed tells when it can."""
        channel = self._keys.channel(room)
        self._rooms[channel] = room
        try:
            ear = await self._ear_for(channel)
        except StoreError:
            self._soon(self._resume, [channel])
        else:
            with anyio.move_on_after(TIMEOUT_S):
                await ear.hear(channel)

    async def unfollow(self, room: RoomId) -> None:
        """Hear a room no more."""
        channel = self._keys.channel(room)
        self._rooms.pop(channel, None)
        for ear in list(self._ears.values()):
            if channel in ear.channels:
                await ear.forget(channel)

    def signal(self, payload: bytes) -> bytes:
        """Return a signal as it is published."""
        return _SIGNAL + self.handle.encode() + payload

    def _soon(self, call: Callable[[_T], Coroutine[Any, Any, None]], given: _T) -> None:
        assert self._tasks is not None
        self._tasks.start_soon(call, given)

    async def _ear_for(self, channel: str) -> Ear:
        """Return the ear at the server that has a channel.

        Raises:
            StoreError: nobody knows which that is.
        """
        server = await self._servers.of(channel)
        if server not in self._ears:
            self._ears[server] = ear = Ear(
                server, self._take, self._interrupted, self._changed, self._servers.has_left
            )
            self._soon(self._listen, ear)
        return self._ears[server]

    async def _canary(self, server: Server) -> str:
        """Find a channel of our own that a server has now.

        Raises:
            StoreError: it has none.
        """
        known = await self._servers.all()
        for number in range(_CANARIES if server in known else 0):
            name = self._keys.canary(f"{self.handle}-{number}")
            if await self._servers.of(name) is server:
                return name
        raise StoreError(f"{server.name} has no part of the cluster")

    async def _listen(self, ear: Ear) -> None:
        """Have an ear hear, again and again, as long as its server has anything to say."""
        failures = 0
        while True:
            try:
                await ear.listen(await self._canary(ear.server))
            except* StoreError as errors:
                error = errors.exceptions[0]
                _log.warning("the feed of the store is interrupted and comes back: %s", error)
            if ear.heard:
                failures = 0
            self._servers.doubt()
            await anyio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
            failures += 1
            if await self._hand_over(ear):
                return

    async def _hand_over(self, ear: Ear) -> bool:
        """Give other ears what other servers have now; tell whether this one is done with."""
        try:
            owners = {channel: await self._servers.of(channel) for channel in list(ear.channels)}
            gone = ear.server not in await self._servers.all()
        except StoreError:
            return False  # nobody knows
        moved = [channel for channel, owner in owners.items() if owner is not ear.server]
        for channel in moved:
            ear.drop(channel)
        if moved:
            self._soon(self._resume, moved)
        if gone and not ear.channels:
            del self._ears[ear.server]
            return True
        return False

    async def _resume(self, channels: list[str]) -> None:
        """Find the ears for channels, and tell when all are heard again."""
        ears: dict[Ear, list[str]] = {}
        for channel in channels:
            while channel in self._rooms:
                try:
                    ears.setdefault(await self._ear_for(channel), []).append(channel)
                    break
                except StoreError:
                    await anyio.sleep(_PAUSES_S[-1])
        for ear, theirs in ears.items():
            await ear.hear(*theirs)
        self._interrupted()

    def _changed(self, server: Server) -> None:
        self._soon(self._check, server)

    async def _check(self, server: Server) -> None:
        """Look whether the server that took over is set up as the one before."""
        try:
            await self._durability.check(server)
        except StoreError as error:
            name = self._durability.name
            _log.error("an acknowledgement may not mean %s any more: %s", name, error)

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

    def _interrupted(self) -> None:
        self._put(Interrupted())

    def _put(self, item: StoreFeed) -> None:
        if self.feed is not None:
            self.feed.put(item)
