"""Handles on one set of rooms in one process: who follows what, and the feed of each.

A store whose rooms no other process can change needs nothing more for its feed: each handle tells
the others. All handles on the same rooms belong to one event loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from typing import Self

import anyio
from anyio.lowlevel import checkpoint

from roomkit.core.storage import Interrupted, StoreFeed, StoreSignal
from roomkit.ids import RoomId

__all__ = ["FEED_ITEMS", "Feed", "Followers", "StoreHandle"]

FEED_ITEMS = 1024
"""How many hints and signals wait for a handle's reader before they become one `Interrupted`."""


class Feed:
    """The bounded buffer between all who append or signal and the one reader of a handle."""

    def __init__(self) -> None:
        self._items: deque[StoreFeed] = deque()
        self._arrived = anyio.Event()

    def put(self, item: StoreFeed) -> None:
        if len(self._items) >= FEED_ITEMS:
            self._items.clear()
            item = Interrupted()
        self._items.append(item)
        self._arrived.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StoreFeed:
        await checkpoint()
        while not self._items:
            self._arrived = anyio.Event()
            await self._arrived.wait()
        return self._items.popleft()


class StoreHandle:
    """The part of a store that is about the other handles.

    Args:
        followers: the same for all handles on the same rooms.
    """

    def __init__(self, followers: Followers) -> None:
        self._followers = followers
        self._feed: Feed | None = None

    def another(self) -> Self:
        """Return a second handle on the same rooms, as another node of the same process has it."""
        other = copy(self)
        other._feed = None
        return other

    async def follow(self, room: RoomId) -> None:
        self._followers.setdefault(room, set()).add(self)

    async def unfollow(self, room: RoomId) -> None:
        self._unfollow(room)

    def _unfollow(self, room: RoomId) -> None:
        followers = self._followers.get(room, set())
        followers.discard(self)
        if not followers:
            self._followers.pop(room, None)

    def _unfollow_all(self) -> None:
        for room in list(self._followers):
            self._unfollow(room)

    @asynccontextmanager
    async def feed(self) -> AsyncGenerator[AsyncIterator[StoreFeed]]:
        """As the contract says; what comes while no feed is open is lost.

        Raises:
            RuntimeError: this handle's feed is open already.
        """
        if self._feed is not None:
            raise RuntimeError("this handle's feed is open already: read it, or take another()")
        self._feed = feed = Feed()
        try:
            yield feed
        finally:
            self._feed = None

    async def signal(self, room: RoomId, payload: bytes) -> None:
        self._tell(room, StoreSignal(room, payload))

    def _others_follow(self, room: RoomId) -> bool:
        followers = self._followers.get(room)
        return followers is not None and (len(followers) > 1 or self not in followers)

    def _tell(self, room: RoomId, item: StoreFeed) -> None:
        for follower in self._followers.get(room, ()):
            if follower is not self and follower._feed is not None:
                follower._feed.put(item)


Followers = dict[RoomId, set[StoreHandle]]
"""Which handles follow a room."""
