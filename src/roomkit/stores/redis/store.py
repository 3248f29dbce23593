"""The store a hub calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_bytes
from typing import TYPE_CHECKING

import msgspec

from roomkit.core.effects import Append
from roomkit.core.storage import (
    LogSlice,
    MessagePage,
    MessageRow,
    Outcome,
    PageQuery,
    RoomRecord,
    Snapshot,
    StoreFeed,
    Tip,
)
from roomkit.errors import StoreError
from roomkit.ids import NodeId, RoomId
from roomkit.limits import Limits
from roomkit.stores.handles import Feed
from roomkit.stores.paging import wanted
from roomkit.stores.redis import archiving, reading
from roomkit.stores.redis.appending import Appender
from roomkit.stores.redis.durability import Durability
from roomkit.stores.redis.keys import Keys
from roomkit.stores.redis.listener import Listener
from roomkit.stores.redis.scripts import SAVE
from roomkit.stores.redis.server import Argument, Server
from roomkit.stores.redis.servers import connect

if TYPE_CHECKING:
    from redis.credentials import CredentialProvider

    from roomkit.stores.archive.archive import SqlArchive

__all__ = ["RedisStore"]

_DEFAULT_LIMITS = Limits()


class RedisStore:
    """Keeps rooms in Valkey or Redis, for as many nodes as use it. On asyncio.

    What becomes of an acknowledged message when a server fails is what `durability` says. If the
    servers come back without something they had acknowledged, clients are told of the gap.

    Args:
        url: `redis://`, `rediss://`, `valkey://`, `valkeys://` or `unix://` for one server;
            `redis+sentinel://host,host/service` for one that sentinels watch;
            `redis+cluster://host,host` for a cluster; with user, password, database and
            `?ssl_...` options as redis-py takes them, and `sentinel_...` ones for sentinels.
        limits: the same as the hub's.
        messages: how many messages a room keeps in the server, the newest; None for all.
        prefix: what the names of all keys begin with; one for each service on a server.
        durability: `redis` (the server has applied it), `redis-fsync` (and written it to disk) or
            `redis-replicated(n)` (and n replicas have received it, 1 to 9).
        archive: keeps every message for ever, and is read below those the server keeps; the same
            for all nodes. Its failures fail `save`, so that nothing leaves the server unarchived.
        credentials: redis-py's `CredentialProvider`, instead of user and password in the URL: asked
            with every new connection, so that they may change while the store is used.

    Attributes:
        url: as given.

    Raises:
        ValueError: an argument is not one of these.
    """

    def __init__(
        self,
        url: str,
        *,
        limits: Limits = _DEFAULT_LIMITS,
        messages: int | None = 10_000,
        prefix: str = "roomkit",
        durability: str = "redis",
        archive: SqlArchive | None = None,
        credentials: CredentialProvider | None = None,
    ) -> None:
        if messages is not None and messages < 1:
            raise ValueError(f"messages must be 1 or more, not {messages}; None keeps everything")
        if not prefix or set("{}") & set(prefix):
            raise ValueError(f"prefix must be some characters other than braces, not {prefix!r}")
        self.url = url
        self._limits = limits
        self._messages = messages
        self._prefix = prefix
        self._keys = Keys(prefix)
        self._durability = Durability.parse(durability)
        self._archive = archive
        self._credentials = credentials
        self._servers = connect(url, credentials)
        self._listener = Listener(self._servers, self._keys, self._durability)
        self._lanes: dict[Server, int] = {}
        self._appender = Appender(
            self._servers, self._keys, limits, self._durability, self._listener.handle
        )

    def another(self) -> RedisStore:
        """Return a second handle on the same rooms, as another node has it."""
        return RedisStore(
            self.url,
            limits=self._limits,
            messages=self._messages,
            prefix=self._prefix,
            durability=self._durability.name,
            archive=None if self._archive is None else self._archive.another(),
            credentials=self._credentials,
        )

    @property
    def durability(self) -> str:
        return self._durability.name

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Connect.

        Raises:
            StoreError: a server or the archive cannot be reached; a server is too old, may forget
                what it was given, or is not set up for this durability; or the event loop is not
                asyncio's. Each says what to do.
        """
        async with self._servers.open(), AsyncExitStack() as stack:
            for server in await self._servers.all():
                await self._durability.check(server)
            if self._archive is not None:
                await stack.enter_async_context(self._archive.open())
            async with self._listener.running():
                yield

    def lane(self, room: RoomId) -> int:
        """Rooms at one server share a lane."""
        server = self._servers.known(self._keys.head(room))
        return 0 if server is None else self._lanes.setdefault(server, len(self._lanes))

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        """As the contract says; all of them in one go.

        Raises:
            StoreError: nobody knows what was stored.
            ValueError: an append has no facts; nothing of the call was stored.
        """
        return await self._appender.append(appends, now)

    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        return await self._servers.ask(
            self._keys.head(room),
            lambda server: reading.read(server, self._keys, room, after, limit),
        )

    async def load(self, room: RoomId) -> RoomRecord:
        newest = self._limits.history_window
        record, removed = await self._servers.ask(
            self._keys.head(room), lambda server: reading.load(server, self._keys, room, newest)
        )
        if self._archive is not None and removed:
            messages = await archiving.newest(self._archive, room, record.messages, newest)
            record = msgspec.structs.replace(record, messages=messages)
        return record

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        if snapshot.position.seq < 1:
            return False

        async def finish(claim: str) -> int:
            return await self._save(room, snapshot, messages, now, claim)

        if self._archive is None:
            return bool(await finish(archiving.NO_CLAIM))
        return await archiving.save(
            self._archive, self._servers, self._keys, room, snapshot, messages, finish
        )

    async def _save(
        self,
        room: RoomId,
        snapshot: Snapshot,
        messages: Sequence[MessageRow],
        now: int,
        claim: str,
    ) -> int:
        keys, limits, position = self._keys, self._limits, snapshot.position
        given: list[Argument] = [
            position.seq, position.link, snapshot.format, snapshot.state,
            now - limits.log_age_ms, limits.log_entries, self._messages or 0, claim,
        ]  # fmt: skip
        for row in messages:
            given += (row.seq, row.body)
        names = [keys.head(room), keys.log(room), keys.messages(room)]
        (answer,), _ = await self._servers.ask(
            keys.head(room), lambda server: server.run(SAVE, [(names, given)])
        )
        if isinstance(answer, Exception):
            self._servers.doubt()
            raise StoreError(f"the server refused to save {room!r}: {answer}") from answer
        return int(answer)

    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        sides, split = wanted(query, limit), reading.split_of(query)
        found = await self._servers.ask(
            self._keys.head(room),
            lambda server: reading.find(server, self._keys, room, split, sides),
        )
        if self._archive is not None:
            found = await archiving.more(self._archive, room, found, split, sides)
        return reading.cut(found, sides, self._limits.page_bytes)

    async def tips(self, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
        return await reading.tips(self._servers, self._keys, rooms)

    async def rooms(self, after: RoomId | None, limit: int) -> Sequence[RoomId]:
        return await reading.rooms(self._servers, self._keys, after, limit)

    async def follow(self, room: RoomId) -> None:
        await self._listener.follow(room)

    async def unfollow(self, room: RoomId) -> None:
        await self._listener.unfollow(room)

    @asynccontextmanager
    async def feed(self) -> AsyncGenerator[AsyncIterator[StoreFeed]]:
        """As the contract says; what comes while no feed is open is lost.

        Raises:
            RuntimeError: this handle's feed is open already.
        """
        if self._listener.feed is not None:
            raise RuntimeError("this handle's feed is open already: read it, or take another()")
        self._listener.feed = feed = Feed()
        try:
            yield feed
        finally:
            self._listener.feed = None

    async def signal(self, room: RoomId, payload: bytes) -> None:
        channel, content = self._keys.channel(room), self._listener.signal(payload)
        await self._servers.ask(channel, lambda server: server.publish(channel, content))

    async def renew(self, node: NodeId, ttl_ms: int) -> bool:
        key = self._keys.lease(node)
        await self._servers.ask(key, lambda server: server.call("SET", key, "", "PX", ttl_ms))
        return True

    async def lapsed(self, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        names = {node: self._keys.lease(node) for node in nodes}
        held = await self._servers.each(names, lambda node: ("EXISTS", names[node]))
        return [node for node in nodes if not held[node]]

    async def secret(self) -> bytes:
        key = self._keys.secret
        await self._servers.ask(key, lambda server: server.call("SET", key, token_bytes(32), "NX"))
        secret: bytes = await self._servers.ask(key, lambda server: server.call("GET", key))
        return secret
