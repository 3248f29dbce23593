"""The store a hub calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from secrets import token_bytes, token_hex

from redis.exceptions import ResponseError

from roomkit.core.effects import Append
from roomkit.core.storage import (
    Failed,
    LogSlice,
    MessagePage,
    MessageRow,
    Outcome,
    PageQuery,
    RoomRecord,
    Snapshot,
    StoreFeed,
    Tip,
    Unknown,
)
from roomkit.errors import StoreError
from roomkit.ids import NodeId, RoomId
from roomkit.limits import Limits
from roomkit.stores.handles import Feed
from roomkit.stores.memory_room import NONCE_MS
from roomkit.stores.redis import reading
from roomkit.stores.redis.keys import Keys
from roomkit.stores.redis.listener import Listener
from roomkit.stores.redis.rows import outcome_of
from roomkit.stores.redis.scripts import APPEND, SAVE
from roomkit.stores.redis.server import Server

__all__ = ["RedisStore"]

_DEFAULT_LIMITS = Limits()
_KEYS_FORGOTTEN = 64  # by one append, beyond as many as it can add
_LISTED = 10_000  # names of rooms remembered as put down in the list of all
_BEFORE_ANYTHING = frozenset(
    {"OOM", "READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "MISCONF", "NOPERM", "CLUSTERDOWN"}
)
"""Errors with which the server refuses a script before it has written anything."""


class RedisStore:
    """Keeps rooms in one Valkey or Redis server, for as many nodes as use it. On asyncio.

    An acknowledged message has been applied by the server: what becomes of it when that fails is
    the server's business (its append-only file and its replicas). If the server comes back without
    something it had acknowledged, clients are told of the gap.

    Args:
        url: `redis://`, `rediss://`, `valkey://` or `unix://`, with user, password and database as
            redis-py takes them.
        limits: the same as the hub's.
        messages: how many messages a room's archive keeps, the newest; None for all.
        prefix: what the names of all keys begin with; one for each service on a server.

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
        self._server = Server(url)
        self._listener = Listener(self._server, self._keys)
        self._listed: set[RoomId] = set()

    def another(self) -> RedisStore:
        """Return a second handle on the same rooms, as another node has it."""
        return RedisStore(
            self.url, limits=self._limits, messages=self._messages, prefix=self._prefix
        )

    @property
    def durability(self) -> str:
        return "redis"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Connect.

        Raises:
            StoreError: the server cannot be reached, is too old, or may forget what it was given;
                or the event loop is not asyncio's. Each says what to do.
        """
        async with self._server.open(), self._listener.running():
            yield

    def lane(self, room: RoomId) -> int:
        return 0

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        """As the contract says; all of them in one go.

        Raises:
            StoreError: nobody knows what was stored.
            ValueError: an append has no facts; nothing of the call was stored.
        """
        for append in appends:
            if not append.facts:
                raise ValueError(f"an append to {append.room!r} has no facts: give it at least one")
        await self._list([append.room for append in appends])
        calls = [
            (self._keys.of_an_append(append.room), self._arguments(append, now))
            for append in appends
        ]
        answers = await self._server.run(APPEND, calls)
        return [
            _trouble(answer) if isinstance(answer, Exception) else outcome_of(append, answer)
            for append, answer in zip(appends, answers, strict=True)
        ]

    def _arguments(self, append: Append, now: int) -> list[str | bytes | int]:
        given: list[str | bytes | int] = [
            append.nonce.node, append.nonce.counter, append.fence, now,
            self._limits.idempotency_ms, NONCE_MS, int(append.control), token_hex(8),
            _KEYS_FORGOTTEN, "PUBLISH", self._keys.channel(append.room), self._listener.handle,
        ]  # fmt: skip
        for item in append.facts:
            given += ("" if item.key is None else f"k{item.key}", item.fact)
        return given

    async def _list(self, rooms: Sequence[RoomId]) -> None:
        """Put rooms down in the list of all, before there can be anything in them."""
        if new := set(rooms) - self._listed:
            await self._server.call(
                "ZADD", self._keys.rooms, *[part for room in new for part in (0, room)]
            )
            if len(self._listed) + len(new) > _LISTED:
                self._listed.clear()
            self._listed |= new

    async def read(self, room: RoomId, after: int, limit: int) -> LogSlice:
        return await reading.read(self._server, self._keys, room, after, limit)

    async def load(self, room: RoomId) -> RoomRecord:
        return await reading.load(self._server, self._keys, room, self._limits.history_window)

    async def save(
        self, room: RoomId, snapshot: Snapshot, messages: Sequence[MessageRow], now: int
    ) -> bool:
        keys, limits, position = self._keys, self._limits, snapshot.position
        if position.seq < 1:
            return False
        given: list[str | bytes | int] = [
            position.seq, position.link, snapshot.format, snapshot.state,
            now - limits.log_age_ms, limits.log_entries, self._messages or 0,
        ]  # fmt: skip
        for row in messages:
            given += (row.seq, row.body)
        names = [keys.head(room), keys.log(room), keys.messages(room)]
        (answer,) = await self._server.run(SAVE, [(names, given)])
        if isinstance(answer, Exception):
            raise StoreError(f"the server refused to save {room!r}: {answer}") from answer
        return bool(answer)

    async def page(self, room: RoomId, query: PageQuery, limit: int) -> MessagePage:
        size = self._limits.page_bytes
        return await reading.page(self._server, self._keys, room, query, limit, size)

    async def tips(self, rooms: Sequence[RoomId]) -> Mapping[RoomId, Tip]:
        return await reading.tips(self._server, self._keys, rooms) if rooms else {}

    async def rooms(self, after: RoomId | None, limit: int) -> Sequence[RoomId]:
        return await reading.rooms(self._server, self._keys, after, limit)

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
        await self._server.call("PUBLISH", self._keys.channel(room), self._listener.signal(payload))

    async def renew(self, node: NodeId, ttl_ms: int) -> bool:
        await self._server.call("SET", self._keys.lease(node), "", "PX", ttl_ms)
        return True

    async def lapsed(self, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        held = await self._server.each(*[("EXISTS", self._keys.lease(node)) for node in nodes])
        return [node for node, live in zip(nodes, held, strict=True) if not live]

    async def secret(self) -> bytes:
        await self._server.call("SET", self._keys.secret, token_bytes(32), "NX")
        secret: bytes = await self._server.call("GET", self._keys.secret)
        return secret


def _trouble(error: Exception) -> Outcome:
    """Return what an error of the server means for an append."""
    reason = str(error)
    code = getattr(error, "status_code", None) or reason.split(" ", 1)[0]
    if isinstance(error, ResponseError) and code in _BEFORE_ANYTHING:
        return Failed(f"the server refused it: {reason}")
    return Unknown(f"the server failed in the middle of it: {reason}")
