"""Connections to the database: a few, made when they are needed and kept for the next call.

Everything asked of the archive may be asked again, so a call that finds its kept connection broken
is made once more on a new one. What fails then is told, and the next call begins anew: a database
that comes back needs nobody's help.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
from psycopg import AsyncConnection, Error, OperationalError
from psycopg.conninfo import conninfo_to_dict

from roomkit.errors import StoreError

__all__ = ["TIMEOUT_S", "Connection", "Database"]

TIMEOUT_S = 5.0
"""The longest a call may take, waiting for a connection included."""

_CONNECTIONS = 4
_CONNECTING_S = 2
_SCHEMES = ("postgresql://", "postgres://")
_T = TypeVar("_T")
Connection = AsyncConnection[tuple[Any, ...]]


class Database:
    """A database by its URL; nothing is connected before the first call.

    Args:
        url: `postgresql://user:password@host:port/database`, with options as libpq has them.

    Raises:
        ValueError: it is none. The message does not quote it: it may hold a password.
    """

    def __init__(self, url: str) -> None:
        try:
            if not url.startswith(_SCHEMES):
                raise ValueError("it has another scheme")
            conninfo_to_dict(url)
        except (Error, ValueError):
            raise ValueError(
                "an archive's URL should be like postgresql://USER:PASSWORD@HOST:5432/DATABASE"
            ) from None
        self._url = url
        self._idle: list[Connection] = []
        self._free = anyio.Semaphore(_CONNECTIONS)

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            await self._idle.pop().close()

    async def run(self, call: Callable[[Connection], Awaitable[_T]]) -> _T:
        """Make a call in a transaction of its own.

        Raises:
            StoreError: nobody knows whether it was done; it says what to look at.
        """
        try:
            with anyio.fail_after(TIMEOUT_S):
                async with self._free:
                    return await self._run(call)
        except TimeoutError:
            raise StoreError(
                f"the archive's database has not answered within {TIMEOUT_S:.0f} s: look whether "
                "it runs and can be reached"
            ) from None
        except OperationalError as error:
            raise StoreError(
                f"the archive's database cannot be reached: {_words_of(error)}; look whether it "
                "runs, and at the URL's host, user and password"
            ) from error
        except Error as error:
            raise StoreError(
                f"the archive's database refused a statement: {_words_of(error)}"
            ) from error

    async def _run(self, call: Callable[[Connection], Awaitable[_T]]) -> _T:
        if self._idle:
            try:
                async with self._lent(self._idle.pop()) as connection:
                    return await call(connection)
            except OperationalError:
                await self.close()  # those beside it will be no better
        connection = await AsyncConnection.connect(
            self._url,
            connect_timeout=_CONNECTING_S,
            application_name="roomkit",
            prepare_threshold=None,  # what stands between, pgbouncer say, may not keep statements
        )
        async with self._lent(connection):
            return await call(connection)

    @asynccontextmanager
    async def _lent(self, connection: Connection) -> AsyncGenerator[Connection]:
        """Lend a connection for a transaction; keep it if that went well."""
        try:
            async with connection.transaction():
                yield connection
        except BaseException:
            with anyio.CancelScope(shield=True):
                await connection.close()
            raise
        self._idle.append(connection)


def _words_of(error: Error) -> str:
    """Return what the database says, in one line."""
    return " ".join(str(error).split())
