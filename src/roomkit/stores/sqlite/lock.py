"""One process per file: a lock on a file beside it, which ends with the process that holds it.

SQLite itself would let a second server in, and two that write and checkpoint at once can damage a
file (the WAL-reset bug of SQLite before 3.51.3). The lock is not on the database: closing any
descriptor of that file would drop the locks SQLite has on it in this process.

The file also says whether the database was closed: it is empty then.
"""

from __future__ import annotations

import os
import sys

from roomkit.errors import StoreError

__all__ = ["FileLock"]

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Held from when it is made until `release`, or until the process ends.

    Attributes:
        left_open: whoever held it last did not close the database, and nobody has looked it over.

    Raises:
        StoreError: somebody else holds it, or the file beside the database cannot be made.
    """

    def __init__(self, path: str) -> None:
        beside = path + ".lock"
        try:
            self._descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"{beside} cannot be made ({error.strerror}): the directory of the store must "
                "exist, and this user must be allowed to write to it"
            ) from None
        try:
            _lock(self._descriptor)
        except OSError:
            self.release()
            raise StoreError(
                f"{path} is in use by another server: one process serves a file. Stop the other "
                "one, or give this one a file of its own; hubs of one process share a store "
                "through another()"
            ) from None

        self.left_open = os.fstat(self._descriptor).st_size > 0

    def mark_open(self) -> None:
        """From here on the database is in use, until it is marked closed."""
        os.pwrite(self._descriptor, b"open\n", 0)
        os.fsync(self._descriptor)

    def mark_closed(self) -> None:
        os.ftruncate(self._descriptor, 0)

    def release(self) -> None:
        os.close(self._descriptor)
