"""Which server a key is at: always the same one, or one of a cluster."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import anyio
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.sentinel import Sentinel
from redis.crc import key_slot
from redis.credentials import CredentialProvider

from roomkit.errors import StoreError
from roomkit.stores.redis.address import Address
from roomkit.stores.redis.server import CONNECTING, Argument, Host, Moved, Server, told

__all__ = ["Servers", "connect"]

_SLOTS = 16_384
_K = TypeVar("_K")
_T = TypeVar("_T")


def connect(url: str, credentials: CredentialProvider | None) -> Servers:
    """Return what a URL names; nothing is connected before it is opened.

    Args:
        credentials: asked for user and password with every new connection to a server of rooms.

    Raises:
        ValueError: it is no URL of a store, or names a user beside `credentials`.
    """
    address = Address.parse(url)
    if credentials is not None:
        if {"username", "password"} & address.options.keys():
            raise ValueError("credentials say who we are: take user and password out of the URL")
        address.options["credential_provider"] = credentials
    return _Cluster(address) if address.kind == "cluster" else _OneServer(address)


class Servers(ABC):
    """Everything that keeps rooms."""

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Close every connection in the end.

        Raises:
            StoreError: the event loop is not asyncio's.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise StoreError(
                "RedisStore runs on asyncio, since the redis library does: on trio use SqliteStore"
            ) from None
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self.close()

    async def ask(self, key: str, call: Callable[[Server], Awaitable[_T]]) -> _T:
        """Make a call to the server that has a key.

        Raises:
            StoreError: it failed.
        """
        try:
            return await call(await self.of(key))
        except Moved:
            self.doubt()
            return await call(await self.of(key))
        except StoreError:
            self.doubt()
            raise

    async def each(
        self, keys: Mapping[_K, str], command: Callable[[_K], Sequence[Argument]]
    ) -> dict[_K, Any]:
        """Have a command done for each of many, in one go at each server; return the answers.

        Args:
            keys: of each, the key that says where.

        Raises:
            StoreError: one failed.
        """
        groups: dict[Server, list[_K]] = {}
        for one, key in keys.items():
            groups.setdefault(await self.of(key), []).append(one)
        answers: dict[_K, Any] = {}
        for server, ones in groups.items():
            try:
                found = await server.each(*[command(one) for one in ones])
            except StoreError:
                self.doubt()
                raise
            answers.update(zip(ones, found, strict=True))
        return answers

    @abstractmethod
    def known(self, key: str) -> Server | None:
        """Return the server that had a key when it was last asked."""

    @abstractmethod
    async def of(self, key: str) -> Server:
        """Return the server that has a key.

        Raises:
            StoreError: nobody knows.
        """

    @abstractmethod
    async def all(self) -> Sequence[Server]:
        """Return every server that has keys, in no order."""

    @abstractmethod
    def doubt(self) -> None:
        """Something failed: what is known of who has what may be of yesterday."""

    async def has_left(self, host: Host | None) -> bool:
        """Tell whether another server leads by now; if so nothing more is asked of the old one.

        A primary that was cut off from the others still answers: nobody else would tell.
        """
        return False

    @abstractmethod
    async def close(self) -> None:
        """Close every connection."""


class _OneServer(Servers):
    """One, or whichever leads: sentinels are asked for it with every new connection."""

    def __init__(self, address: Address) -> None:
        options = {**address.options, **CONNECTING}
        self._sentinels: tuple[Any, ...] = ()
        if address.kind == "sentinel":
            secured = {"ssl": True} if options.pop("connection_class", None) else {}
            sentinel = cast("Any", Sentinel)(
                address.hosts, sentinel_kwargs={**address.sentinel_options, **CONNECTING}
            )
            # Calls at one time reorder the library's list, and may drop one from it.
            self._sentinels = tuple(sentinel.sentinels)
            client = sentinel.master_for(address.service, **options, **secured)
        else:
            client = _client(options)
        self._pool = client.connection_pool
        self._leader: Host | None = None
        self._server = Server(address.service or "the server", client)

    def known(self, key: str) -> Server | None:
        return self._server

    async def of(self, key: str) -> Server:
        return self._server

    async def all(self) -> Sequence[Server]:
        return [self._server]

    def doubt(self) -> None:
        pass

    async def has_left(self, host: Host | None) -> bool:
        if not self._sentinels:
            return False
        try:
            found = await told(self._pool.get_master_address())
        except StoreError:
            return False  # nobody knows
        before, self._leader = self._leader, found
        if before not in (None, found):
            await self._pool.disconnect(inuse_connections=False)
            await self._pool.update_active_connections_for_reconnect()
        return bool(found != host)

    async def close(self) -> None:
        await self._server.close()
        for sentinel in self._sentinels:
            await sentinel.aclose()


class _Cluster(Servers):
    """Knows which server has which slots, and asks again whenever something failed."""

    def __init__(self, address: Address) -> None:
        self._options = {**address.options, **CONNECTING}
        self._seeds = address.hosts
        self._servers: dict[tuple[str, int], Server] = {}
        self._slots: list[Server | None] = [None] * _SLOTS
        self._doubted = True
        self._looking = anyio.Lock()

    def known(self, key: str) -> Server | None:
        return self._slots[key_slot(key.encode())]

    async def of(self, key: str) -> Server:
        await self._look()
        server = self.known(key)
        if server is None:
            raise StoreError("no server of the cluster serves this room")
        return server

    async def all(self) -> Sequence[Server]:
        await self._look()
        return list(dict.fromkeys([server for server in self._slots if server is not None]))

    def doubt(self) -> None:
        self._doubted = True

    async def close(self) -> None:
        for server in self._servers.values():
            await server.close()

    async def _look(self) -> None:
        """Ask who has what, if that is in doubt; keep what was known if nobody answers.

        Raises:
            StoreError: nothing was known.
        """
        if not self._doubted:
            return
        async with self._looking:
            await self._look_again()

    async def _look_again(self) -> None:
        errors: list[StoreError] = []
        for host in dict.fromkeys([*self._servers, *self._seeds]):
            if not self._doubted:  # somebody else has looked, or the one before has told
                return
            try:
                await self._learn(host)
            except StoreError as error:
                errors.append(error)
                if host in self._servers:  # ask it last the next time
                    self._servers[host] = self._servers.pop(host)
            else:
                self._doubted = False
        if self._doubted and not any(self._slots):
            raise StoreError(f"no server of the cluster answers: {errors[-1]}")

    async def _learn(self, asked: tuple[str, int]) -> None:
        """Take one server's word for who has what.

        Raises:
            StoreError: it says nothing.
        """
        ranges = await self._server(asked).call("CLUSTER SLOTS")
        slots: list[Server | None] = [None] * _SLOTS
        for first, last, (host, port, *_), *_ in ranges:
            server = self._server((host.decode() or asked[0], port))
            slots[first : last + 1] = [server] * (last - first + 1)
        self._slots = slots
        used = set(slots)
        for host, server in list(self._servers.items()):
            if server not in used:
                del self._servers[host]
                await server.close()

    def _server(self, host: tuple[str, int]) -> Server:
        server = self._servers.get(host)
        if server is None:
            client = _client({**self._options, "host": host[0], "port": host[1]})
            server = self._servers[host] = Server(f"{host[0]}:{host[1]}", client, sharded=True)
        return server


def _client(options: dict[str, Any]) -> Any:
    """The library types what its calls take and return as unknown."""
    return cast("Any", Redis).from_pool(cast("Any", ConnectionPool)(**options))
