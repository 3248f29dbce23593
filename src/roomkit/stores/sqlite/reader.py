"""A thread that reads, on a connection that can do nothing else."""

from __future__ import annotations

import sqlite3

from roomkit.errors import StoreError
from roomkit.stores.sqlite.connections import open_reader
from roomkit.stores.sqlite.jobs import AnyJob, Jobs, Loop
from roomkit.stores.sqlite.troubles import explain, is_of_the_file

__all__ = ["Reader"]


class Reader:
    """Runs in a thread of its own until its jobs end. Several may take from the same jobs."""

    def __init__(self, path: str, jobs: Jobs[sqlite3.Connection], loop: Loop) -> None:
        self._path = path
        self._jobs = jobs
        self._loop = loop
        self._connection: sqlite3.Connection | None = None

    def run(self) -> None:
        """Do one job after the other until there is a None."""
        while (job := self._jobs.get()) is not None:
            if job.wanted:
                self._do(job)
                self._loop.end([job])
        self._let_go()

    def _do(self, job: AnyJob[sqlite3.Connection]) -> None:
        try:
            if self._connection is None:
                self._connection = open_reader(self._path)
            job.run(self._connection)
        except sqlite3.Error as error:
            if is_of_the_file(error):
                self._let_go()
            job.fail(StoreError(explain(self._path, error)))
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            job.fail(error)

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
