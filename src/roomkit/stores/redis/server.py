"""One server and the calls it is asked for: most of what this package knows of redis-py.

Nothing is repeated by itself: a call that was repeated could have been done twice. A connection
that fails or is silent for `TIMEOUT_S` is given up, and its call raises.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import hiredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    RedisError,
    ResponseError,
)

from roomkit.errors import StoreError

__all__ = ["CONNECTING", "TIMEOUT_S", "Argument", "Host", "Moved", "Server", "Subscriber", "told"]

TIMEOUT_S = 2.0
CONNECTING: Mapping[str, Any] = {
    "protocol": 2,
    "retry": Retry(NoBackoff(), 0),
    "socket_timeout": TIMEOUT_S,
    "socket_connect_timeout": TIMEOUT_S,
    "health_check_interval": 0,
}
"""How every connection is made."""

_REPLICATION_MS = 1_000
_AT_ONCE = 64  # commands of a pipeline
_DIGESTS: dict[str, str] = {}
_pack: Callable[[tuple[Argument, ...]], bytes] = cast("Any", hiredis).pack_command
Argument = str | bytes | int
Host = tuple[str, int]
"""An address and a port."""


class Moved(StoreError):
    """Another server of the cluster serves this; nothing was done."""


class Subscriber:
    """A connection that hears what is published.

    Args:
        connection: one of redis-py's, connected.
        prefix: of the commands: S in a cluster, where a channel is served by one server.
    """

    def __init__(self, connection: Any, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix

    @property
    def host(self) -> Host | None:
        """The server at the other end; None if it has no address."""
        host = getattr(self._connection, "host", None)
        return None if host is None else (host, self._connection.port)

    async def subscribe(self, *channels: str) -> None:
        """Ask to hear these; of each the answer comes as `("subscribe", channel, ...)`."""
        await self._send("SUBSCRIBE", channels)

    async def unsubscribe(self, channel: str) -> None:
        """Ask to hear this no more."""
        await self._send("UNSUBSCRIBE", [channel])

    async def hear(self) -> tuple[str, str, bytes]:
        """Return what comes next: `subscribe`, `unsubscribe` or `message`, channel, and content.

        Raises:
            StoreError: the connection is broken.
            Moved: another server serves one of the channels.
        """
        answer = await told(self._connection.read_response(timeout=math.inf))
        kind, channel, content = answer
        kind = kind.decode().removeprefix(self._prefix.lower())
        return kind, channel.decode(), content if isinstance(content, bytes) else b""

    async def _send(self, command: str, channels: Sequence[str]) -> None:
        """A command each: those in different slots of a cluster cannot be in one."""
        commands = [(self._prefix + command, channel) for channel in channels]
        packed = self._connection.pack_commands(commands)
        await told(self._connection.send_packed_command(packed, check_health=False))


class Server:
    """One server, or whichever leads a service that sentinels watch.

    Args:
        name: for messages.
        client: redis-py's.
        sharded: it is one of a cluster's.
    """

    def __init__(self, name: str, client: Any, *, sharded: bool = False) -> None:
        self.name = name
        self._client = client
        self._prefix = "S" if sharded else ""

    async def close(self) -> None:
        """Close every connection to it."""
        await self._client.aclose()

    async def facts(self, *sections: str) -> Mapping[str, object]:
        """Return what the server says of itself."""
        return cast("Mapping[str, object]", await told(self._client.info(*sections)))

    async def call(self, *command: Argument) -> Any:
        """Have one command done.

        Raises:
            StoreError: it was not, or nobody knows.
        """
        return await told(self._client.execute_command(*command))

    async def publish(self, channel: str, content: bytes) -> None:
        """Have it heard by all who subscribed to a channel."""
        await self.call(self.publishing, channel, content)

    @property
    def publishing(self) -> str:
        """The command to publish with."""
        return self._prefix + "PUBLISH"

    async def together(self, *commands: Sequence[Argument]) -> list[Any]:
        """Have commands on one room done with nothing else between them."""
        return cast("list[Any]", await told(self._together(commands)))

    async def _together(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        async with self._client.pipeline(transaction=True) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return cast("list[Any]", await pipe.execute())

    async def each(self, *commands: Sequence[Argument]) -> list[Any]:
        """Have many commands done in one go."""
        return cast("list[Any]", await told(self._each(commands)))

    async def _each(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        answers = await self._piped(commands)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    async def run(
        self,
        script: str,
        calls: Sequence[tuple[Sequence[str], Sequence[Argument]]],
        replicas: int = 0,
    ) -> tuple[list[Any], int]:
        """Run a script several times in one go; return the answers, errors of the server included.

        Args:
            calls: of each the keys and the arguments.
            replicas: how many replicas to wait for, a second at most.

        Returns:
            The answers, and how many replicas have all of it.

        Raises:
            StoreError: nobody knows what was done.
        """
        digest = _DIGESTS.setdefault(
            script, hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        )
        commands = [("EVALSHA", digest, len(keys), *keys, *given) for keys, given in calls]
        answers, have = await self._replicated(commands, replicas)
        unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            await self.call("SCRIPT LOAD", script)
            again, now_have = await self._replicated([commands[at] for at in unknown], replicas)
            have = min(have, now_have)
            for at, answer in zip(unknown, again, strict=True):
                answers[at] = answer
        return answers, have

    async def _replicated(
        self, commands: Sequence[Sequence[Argument]], replicas: int
    ) -> tuple[list[Any], int]:
        """The same connection must write and wait: it waits for its own writes."""
        if not replicas:
            return await told(self._piped(commands)), 0
        wait = ("WAIT", replicas, _REPLICATION_MS)
        *answers, have = await told(self._piped([*commands, wait]))
        return answers, have if isinstance(have, int) else 0

    async def _piped(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Return what the server answers to each, errors of its own included.

        A pipeline of the library's takes twice as long, for what is not asked of it here.
        """
        pool = self._client.connection_pool
        connection = await pool.get_connection()
        try:
            for at in range(0, len(commands), _AT_ONCE):  # it works on some while we pack others
                packed = [_pack(tuple(command)) for command in commands[at : at + _AT_ONCE]]
                await connection.send_packed_command(packed, check_health=False)
            return await _answers(connection, len(commands))
        except BaseException:
            await connection.disconnect(nowait=True)  # an answer may be left on it
            raise
        finally:
            await pool.release(connection)

    @asynccontextmanager
    async def subscriber(self) -> AsyncGenerator[Subscriber]:
        """Open a connection of its own.

        Raises:
            StoreError: the server cannot be reached.
        """
        connection = self._client.connection_pool.make_connection()
        try:
            await told(connection.connect())
            yield Subscriber(connection, self._prefix)
        finally:
            await connection.disconnect(nowait=True)


async def _answers(connection: Any, count: int) -> list[Any]:
    """Read so many answers.

    Raises:
        StoreError: one did not come in time.
    """
    answers: list[Any] = []
    try:
        with anyio.fail_after(TIMEOUT_S) as patience:
            for number in range(count):
                if number % _AT_ONCE == 0:
                    patience.deadline = anyio.current_time() + TIMEOUT_S
                try:
                    answers.append(await connection.read_response(timeout=math.inf))
                except ResponseError as error:
                    answers.append(error)
    except TimeoutError:
        problem = f"the server cannot be reached: it has not answered for {TIMEOUT_S:g} s"
        raise StoreError(problem) from None
    return answers


async def told(call: Awaitable[Any]) -> Any:
    """Wait for a call; what the library raises becomes a `StoreError` that says what to do."""
    try:
        return await call
    except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
        raise StoreError(f"the server refuses us: {error}; look at the URL's user") from error
    except MovedError as error:
        raise Moved("another server of the cluster serves this room now") from error
    except ResponseError as error:
        raise StoreError(f"the server refused a command: {error}") from error
    except (RedisError, OSError) as error:
        raise StoreError(f"the server cannot be reached: {error}") from error
