"""One server and the calls it is asked for: everything the rest of this package knows of redis-py.

Nothing is repeated by itself: a call that was repeated could have been done twice. A connection
that fails or is silent for `TIMEOUT_S` is given up, and its call raises.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    NoScriptError,
    RedisError,
    ResponseError,
)

from roomkit.errors import StoreError

__all__ = ["TIMEOUT_S", "Server", "Subscriber"]

TIMEOUT_S = 2.0
_OLDEST = 7
_KEEPING = ("noeviction", "volatile-")
_Argument = str | bytes | int


class Subscriber:
    """A connection that hears what is published."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def subscribe(self, *channels: str) -> None:
        """Ask to hear these; the answer comes as `("subscribe", channel, ...)`."""
        await _told(self._connection.send_command("SUBSCRIBE", *channels, check_health=False))

    async def unsubscribe(self, channel: str) -> None:
        """Ask to hear this no more."""
        await _told(self._connection.send_command("UNSUBSCRIBE", channel, check_health=False))

    async def hear(self) -> tuple[str, str, bytes]:
        """Return what comes next: `subscribe`, `unsubscribe` or `message`, channel, and content.

        Raises:
            StoreError: the connection is broken.
        """
        answer = await _told(self._connection.read_response(timeout=math.inf))
        kind, channel, content = answer
        return kind.decode(), channel.decode(), content if isinstance(content, bytes) else b""


class Server:
    """The server behind a URL.

    Args:
        url: as redis-py takes it; `valkey://` and `valkeys://` are the same as `redis://` and
            `rediss://`.

    Raises:
        ValueError: it is no such URL.
    """

    def __init__(self, url: str) -> None:
        for scheme in ("valkey", "valkeys"):
            if url.startswith(f"{scheme}://"):
                url = url.replace("valkey", "redis", 1)
        # The library types what its calls take and return as unknown.
        self._client = cast("Any", Redis).from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            health_check_interval=0,
        )
        self._digests: dict[str, str] = {}

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Look at the server, and close every connection to it in the end.

        Raises:
            StoreError: it cannot be reached, is too old, or may forget what it was given.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise StoreError(
                "RedisStore runs on asyncio, since the redis library does: on trio use SqliteStore"
            ) from None
        try:
            await self._look()
            yield
        finally:
            await self._client.aclose()

    async def _look(self) -> None:
        facts = await self.facts("server", "memory")
        version = str(facts.get("redis_version", "0"))
        if int(version.split(".")[0]) < _OLDEST:
            raise StoreError(f"the server is Redis {version}: RedisStore needs 7.0, or any Valkey")
        policy = str(facts.get("maxmemory_policy", "noeviction"))
        if not policy.startswith(_KEEPING):
            raise StoreError(
                f"the server's maxmemory-policy is {policy}: it would forget messages to make "
                "room; set it to noeviction"
            )

    async def facts(self, *sections: str) -> Mapping[str, object]:
        """Return what the server says of itself."""
        return cast("Mapping[str, object]", await _told(self._client.info(*sections)))

    async def call(self, *command: _Argument) -> Any:
        """Have one command done.

        Raises:
            StoreError: it was not, or nobody knows.
        """
        return await _told(self._client.execute_command(*command))

    async def together(self, *commands: Sequence[_Argument]) -> list[Any]:
        """Have commands on one room done with nothing else between them."""
        return await self._piped(commands, transaction=True)

    async def each(self, *commands: Sequence[_Argument]) -> list[Any]:
        """Have many commands done in one go."""
        return await self._piped(commands, transaction=False)

    async def run(
        self, script: str, calls: Sequence[tuple[Sequence[str], Sequence[_Argument]]]
    ) -> list[Any]:
        """Run a script several times in one go; return the answers, errors of the server included.

        Args:
            calls: of each the keys and the arguments.

        Raises:
            StoreError: nobody knows what was done.
        """
        digest = self._digests.setdefault(
            script, hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        )
        commands = [("EVALSHA", digest, len(keys), *keys, *given) for keys, given in calls]
        answers = await self._piped(commands, transaction=False, errors=True)
        unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            await self.call("SCRIPT LOAD", script)
            again = await self._piped(
                [commands[at] for at in unknown], transaction=False, errors=True
            )
            for at, answer in zip(unknown, again, strict=True):
                answers[at] = answer
        return answers

    async def _piped(
        self, commands: Sequence[Sequence[_Argument]], *, transaction: bool, errors: bool = False
    ) -> list[Any]:
        async with self._client.pipeline(transaction=transaction) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return cast("list[Any]", await _told(pipe.execute(raise_on_error=not errors)))

    @asynccontextmanager
    async def subscriber(self) -> AsyncGenerator[Subscriber]:
        """Open a connection of its own.

        Raises:
            StoreError: the server cannot be reached.
        """
        connection = self._client.connection_pool.make_connection()
        try:
            await _told(connection.connect())
            yield Subscriber(connection)
        finally:
            await connection.disconnect(nowait=True)


async def _told(call: Awaitable[Any]) -> Any:
    """Wait for a call; what the library raises becomes a `StoreError` that says what to do."""
    try:
        return await call
    except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
        raise StoreError(f"the server refuses us: {error}; look at the URL's user") from error
    except ResponseError as error:
        raise StoreError(f"the server refused a command: {error}") from error
    except (RedisError, OSError) as error:
        raise StoreError(f"the server cannot be reached: {error}") from error
