"""The thread that writes: everything that waits is one transaction, and one wake-up of the loop.

It alone writes and checkpoints. After trouble with the file its connection is closed and never used
again; the next transaction begins with a new one. So nothing is written through a handle on which
the disk has failed once, and when space returns the store goes on by itself.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Container, Iterable
from queue import Empty

from roomkit.errors import StoreError
from roomkit.ids import RoomId
from roomkit.stores.sqlite.appending import KeyKnown, Transaction
from roomkit.stores.sqlite.connections import Durability, open_writer
from roomkit.stores.sqlite.heads import Heads
from roomkit.stores.sqlite.jobs import AnyJob, Jobs, Loop
from roomkit.stores.sqlite.saving import Retention
from roomkit.stores.sqlite.sweeping import Sweeper
from roomkit.stores.sqlite.troubles import NotWritten, explain, is_of_the_file

__all__ = ["Writer"]

SWEEP_S = 1.0
"""How often what is too old is looked for, at most."""

_CALLS = 1_000  # in one transaction: none makes a long pause
_PAGES = 1_000  # of the write-ahead log, about, between two checkpoints
_ROWS_TO_A_PAGE = 8

WriteJob = AnyJob[Transaction]


class _Opened:
    """A connection, and what is known of the file only as long as nothing goes wrong with it."""

    def __init__(
        self, connection: sqlite3.Connection, retention: Retention, followed: Container[RoomId]
    ) -> None:
        self.connection = connection
        self.heads = Heads(connection)
        self.sweeper = Sweeper(connection, self.heads, retention, followed)


class Writer:
    """Runs in a thread of its own until its jobs end."""

    def __init__(
        self,
        path: str,
        durability: Durability,
        retention: Retention,
        followed: Container[RoomId],
        jobs: Jobs[Transaction],
        loop: Loop,
    ) -> None:
        self._path = path
        self._durability: Durability = durability
        self._retention = retention
        self._followed = followed
        self._jobs = jobs
        self._loop = loop
        self._opened: _Opened | None = None
        self._newest = 0
        self._pages = 0
        self._written = 0
        self._swept = time.monotonic()

    def secret(self) -> bytes:
        """Open the file, and return the secret kept in it.

        Raises:
            StoreError: the file cannot be opened; says what to do.
        """
        connection = self._open().connection
        secret: bytes = connection.execute("SELECT value FROM secret").fetchone()[0]
        return secret

    def _open(self) -> _Opened:
        if self._opened is None:
            try:
                connection = open_writer(self._path, self._durability)
                self._opened = _Opened(connection, self._retention, self._followed)
            except sqlite3.Error as error:
                raise StoreError(explain(self._path, error)) from error
        return self._opened

    def run(self, before_closing: Callable[[], None]) -> None:
        """Do jobs until there is a None among them; then close the file."""
        ended = False
        while not ended:
            jobs: list[WriteJob] = []
            ended = self._take(jobs)
            if not jobs:
                continue
            self._do(jobs, lookup=False)
            self._loop.end(jobs)
            self._in_between()
        before_closing()
        self._let_go()

    def _take(self, jobs: list[WriteJob]) -> bool:
        """Wait for a job and take all that are there; True if no more will come."""
        job = self._jobs.get()
        try:
            while job is not None:
                if job.wanted:
                    jobs.append(job)
                if len(jobs) >= _CALLS:
                    return False
                job = self._jobs.get_nowait()
        except Empty:
            return False
        return True

    def _do(self, jobs: list[WriteJob], *, lookup: bool) -> None:
        """Do the jobs in one transaction, or tell each that it was not done."""
        work: Transaction | None = None
        try:
            opened = self._open()
            work = Transaction(
                opened.connection, opened.heads, self._retention.limits, lookup=lookup
            )
            for job in jobs:
                job.run(work)
            work.commit()
        except KeyKnown:
            self._undo()
            self._do(jobs, lookup=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            self._failed(jobs, error, work)
        else:
            self._newest = max(self._newest, work.newest)
            self._pages += 2 + work.written // _ROWS_TO_A_PAGE
            self._written += work.written

    def _failed(self, jobs: list[WriteJob], error: Exception, work: Transaction | None) -> None:
        if isinstance(error, StoreError):
            _fail(jobs, lambda: NotWritten(str(error), certain=True))
        elif isinstance(error, sqlite3.Error) and is_of_the_file(error):
            text = explain(self._path, error)
            full = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL
            certain = full or work is None or not work.committing
            self._let_go()
            _fail(jobs, lambda: NotWritten(text, certain=certain))
        elif len(jobs) == 1:
            self._undo()
            _fail(jobs, lambda: error)
        else:  # one of them cannot be done, whatever the file is like: the others can
            self._undo()
            for job in jobs:
                self._do([job], lookup=True)

    def _undo(self) -> None:
        opened = self._opened
        if opened is None or not opened.connection.in_transaction:
            return
        try:
            opened.connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._let_go()

    def _let_go(self) -> None:
        """Use this connection never again; what its successor finds is checkpointed soon."""
        opened, self._opened = self._opened, None
        self._pages = _PAGES
        if opened is not None:
            try:
                opened.connection.close()
            except sqlite3.Error:
                pass  # what it was opened for has failed already, and was said

    def _in_between(self) -> None:
        """Sweep and checkpoint when they are due; nobody waits for them."""
        opened = self._opened
        if opened is None:
            return
        try:
            now = time.monotonic()
            if self._newest and now - self._swept >= SWEEP_S:
                self._swept = now
                opened.sweeper.sweep(self._newest, self._written)
                self._written = 0
            if self._pages >= _PAGES:
                self._pages = 0
                opened.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error:
            self._let_go()  # the next transaction meets the same trouble, and has somebody to tell


def _fail(jobs: Iterable[WriteJob], error: Callable[[], Exception]) -> None:
    for job in jobs:
        job.fail(error())
