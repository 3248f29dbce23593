"""A disk that can lose its power: what was written and not synced may be gone, or half there.

The model of reliability studies of file systems (Pillai et al., OSDI 2014), in its harshest form:
until a file is synced, each write to it may be on the platter or not, whatever the order, and a
write may be torn between two sectors. What was synced is there.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import apsw

__all__ = ["Disk"]

SECTOR = 512


@dataclass
class _File:
    """What is on the platter, and what is on its way: (offset, data), or (size, None)."""

    platter: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list[tuple[int, bytes | None]])
    exists: bool = False


class Disk(apsw.VFS):
    """Passes everything on to the real file system, and remembers what a loss of power would leave.

    Attributes:
        name: of the VFS, to open databases with.
        syncs: how many there were.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.syncs = 0
        self._files: dict[str, _File] = {}
        self._deleted: set[str] = set()
        super().__init__(name, "unix")

    def xOpen(  # noqa: N802 - SQLite's name
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _Handle(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        super().xDelete(filename, syncdir)
        self._deleted.add(filename)
        if syncdir:
            self._forget_deleted()

    def wrote(self, path: str, offset: int, data: bytes | None) -> None:
        """Note a write, or a truncation."""
        self._deleted.discard(path)
        self._files.setdefault(path, _File()).pending.append((offset, data))

    def synced(self, path: str) -> None:
        """All that was written to a file is on the platter."""
        file = self._files.setdefault(path, _File())
        for offset, data in file.pending:
            _apply(file.platter, offset, data)
        file.pending.clear()
        file.exists = True
        self.syncs += 1
        self._forget_deleted()

    def _forget_deleted(self) -> None:
        """A journalling file system keeps its own changes in order: a sync makes all of them."""
        for path in self._deleted:
            self._files.pop(path, None)
        self._deleted.clear()

    def lose_power(self, folder: Path, chance: random.Random | None) -> None:
        """Write into a folder what is found when the power is back.

        Args:
            chance: which of the unsynced writes had reached the platter; without it none had.
        """
        for path, file in self._files.items():
            left = bytearray(file.platter)
            for offset, data in file.pending if chance is not None else ():
                assert chance is not None
                if chance.random() < 0.5:
                    _apply(left, offset, _torn(data, chance))
            if file.exists or left:
                (folder / Path(path).name).write_bytes(left)


class _Handle(apsw.VFSFile):
    """An open file of a disk."""

    def __init__(
        self, disk: Disk, path: str | None, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        self._disk = disk
        self._path = path
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        if self._path is not None:
            self._disk.wrote(self._path, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        super().xTruncate(newsize)
        if self._path is not None:
            self._disk.wrote(self._path, newsize, None)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        if self._path is not None:
            self._disk.synced(self._path)


def _torn(data: bytes | None, chance: random.Random) -> bytes | None:
    """Return a write as it reached the platter: now and then only its first sectors."""
    if data is None or chance.random() < 0.8:
        return data
    return data[: SECTOR * chance.randrange(len(data) // SECTOR + 1)]


def _apply(platter: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del platter[offset:]
        return
    if len(platter) < offset:
        platter.extend(bytes(offset - len(platter)))
    platter[offset : offset + len(data)] = data
