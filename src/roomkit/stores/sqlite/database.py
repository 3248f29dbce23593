"""One open file: the threads at work on it, and the calls carried to them and back."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Container
from queue import SimpleQueue
from typing import TypeVar

import anyio

from roomkit.errors import StoreError
from roomkit.ids import RoomId
from roomkit.stores.sqlite.appending import Transaction
from roomkit.stores.sqlite.connections import Durability, check
from roomkit.stores.sqlite.jobs import Job, Jobs, Loop
from roomkit.stores.sqlite.lock import FileLock
from roomkit.stores.sqlite.reader import Reader
from roomkit.stores.sqlite.saving import Retention
from roomkit.stores.sqlite.troubles import explain
from roomkit.stores.sqlite.writer import Writer

__all__ = ["Database"]

_READERS = 2  # a long page does not hold up a join
_CLOSING_S = 10.0

_T = TypeVar("_T")


class Database:
    """A file in use by this process alone, from when this is made until `close`.

    Made in the event loop that calls it; `opened` tells whether it could be.
    """

    def __init__(
        self, path: str, durability: Durability, retention: Retention, followed: Container[RoomId]
    ) -> None:
        self._path = path
        self._loop = Loop()
        self._writes: Jobs[Transaction] = SimpleQueue()
        self._reads: Jobs[sqlite3.Connection] = SimpleQueue()
        self._writer = Writer(path, durability, retention, followed, self._writes, self._loop)
        self._secret = b""
        self._trouble: Exception | None = None
        self._opened = anyio.Event()
        self._closed = anyio.Event()
        self._open = True
        threading.Thread(target=self._run, name="roomkit sqlite writer", daemon=True).start()

    async def opened(self) -> bytes:
        """Wait until the file is open; return the secret in it.

        Raises:
            StoreError: it cannot be; says what to do.
        """
        await self._opened.wait()
        if self._trouble is not None:
            raise self._trouble
        return self._secret

    async def write(self, work: Callable[[Transaction], _T]) -> _T:
        """Do this in the next transaction, and return what it returns.

        Raises:
            NotWritten: nothing, or nobody knows what, came of it.
        """
        self._must_be_open()
        job = Job(work)
        self._writes.put(job)
        return await job.outcome()

    async def read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do this on a connection that only reads, and return what it returns.

        Raises:
            StoreError: the file cannot be read; says what to do.
        """
        self._must_be_open()
        job = Job(work)
        self._reads.put(job)
        return await job.outcome()

    async def close(self) -> None:
        """Do what is asked already, and let go of the file; given up after ten seconds."""
        self._open = False
        self._writes.put(None)
        with anyio.move_on_after(_CLOSING_S, shield=True):
            await self._closed.wait()

    def _must_be_open(self) -> None:
        if not self._open:
            raise StoreError(f"{self._path} is closed: use the store inside `async with open()`")

    def _run(self) -> None:
        """The writer's thread, which also holds the lock and starts and ends the readers."""
        try:
            lock = FileLock(self._path)
            try:
                self._work(lock)
            finally:
                lock.release()
        except sqlite3.Error as error:
            self._trouble = StoreError(explain(self._path, error))
        except OSError as error:
            self._trouble = StoreError(f"{self._path}.lock cannot be written ({error.strerror})")
        except Exception as error:  # noqa: BLE001 - raised again where the file is opened
            self._trouble = error
        self._loop.call(self._opened.set)
        self._loop.call(self._closed.set)

    def _work(self, lock: FileLock) -> None:
        check(self._path, left_open=lock.left_open)
        self._secret = self._writer.secret()
        lock.mark_open()
        readers = [
            threading.Thread(
                target=Reader(self._path, self._reads, self._loop).run,
                name="roomkit sqlite reader",
                daemon=True,
            )
            for _ in range(_READERS)
        ]
        for reader in readers:
            reader.start()
        self._loop.call(self._opened.set)
        self._writer.run(before_closing=lambda: self._end(readers))
        lock.mark_closed()

    def _end(self, readers: list[threading.Thread]) -> None:
        """Readers end first: whoever closes the file last checkpoints, and that is the writer."""
        for _ in readers:
            self._reads.put(None)
        for reader in readers:
            reader.join()
