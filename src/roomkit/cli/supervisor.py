"""Keeps processes running, and stops them in the right order.

A worker that ends is started again, at once or after a wait that grows while they end soon after
they began. A signal to stop is passed on to the workers; what they stand on ends after the last.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from roomkit.cli.embedded import EmbeddedValkey
from roomkit.errors import StoreError

__all__ = ["Supervisor"]

_SOON_S = 5.0
"""Who ends sooner than this has failed to start."""

_FAILURES = 3
"""So many times in a row for each worker, and it is given up."""

_WAITS_S = (0.0, 0.5, 1.0, 2.0, 4.0)
_STOP_S = 20.0


class Supervisor:
    """Several workers at one door.

    Args:
        command: of a worker; the descriptors of the door and of its leash are put in by `format`.
        workers: how many.
        door: what they accept from.
        valkey: what they keep rooms in, or None.
        environment: of the workers.
    """

    def __init__(
        self,
        command: Sequence[str],
        workers: int,
        door: socket.socket,
        valkey: EmbeddedValkey | None,
        environment: dict[str, str],
    ) -> None:
        self._door = door
        self._leash, self._held = os.pipe()
        self._command = [part.format(door=door.fileno(), leash=self._leash) for part in command]
        self._wanted = workers
        self._valkey = valkey
        self._environment = environment
        self._workers: dict[subprocess.Popen[bytes], float] = {}
        self._failures = self._valkey_failures = 0
        self._valkey_began = 0.0
        self._stopping = False
        self._start_at = 0.0

    def run(self) -> int:
        """Run until told to stop, or nothing runs any more; return the exit status.

        Raises:
            StoreError: the embedded Valkey does not start at all.
        """
        status = 0
        with _signals(self._stop) as wakened:
            try:
                if self._valkey is not None:
                    self._valkey.start()
                    self._valkey_began = time.monotonic()
                while not self._stopping:
                    if not (self._look_after_valkey() and self._look_after_workers()):
                        status = 1
                        break
                    wakened(max(0.0, self._start_at - time.monotonic()) or None)
            finally:
                self._end()
        return status

    def _stop(self) -> None:
        self._stopping = True

    def _look_after_workers(self) -> bool:
        """Start what is missing; false if they cannot be kept running."""
        now = time.monotonic()
        for worker, began in list(self._workers.items()):
            if worker.poll() is None:
                continue
            del self._workers[worker]
            if self._stopping:
                continue
            soon = now - began < _SOON_S
            self._failures = self._failures + 1 if soon else 0
            _say(f"worker {worker.pid} ended with status {worker.returncode}")
            if self._failures >= _FAILURES * self._wanted:
                _say("the workers end as soon as they have begun: see above why")
                return False
            wait = _WAITS_S[min(self._failures // self._wanted, len(_WAITS_S) - 1)]
            self._start_at = max(self._start_at, now + wait)
        if now >= self._start_at:
            self._start_at = 0.0
            while len(self._workers) < self._wanted and not self._stopping:
                self._start()
        return True

    def _start(self) -> None:
        worker = subprocess.Popen(
            self._command,
            env=self._environment,
            pass_fds=(self._door.fileno(), self._leash),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._workers[worker] = time.monotonic()

    def _look_after_valkey(self) -> bool:
        """Start it again if it died: nodes find it by themselves, and lost nothing.

        False if it cannot be kept running.
        """
        valkey = self._valkey
        if valkey is None or valkey.process is None or valkey.process.poll() is None:
            return True
        _say(f"the embedded Valkey ended with status {valkey.process.returncode}: it starts again")
        soon = time.monotonic() - self._valkey_began < _SOON_S
        self._valkey_failures = self._valkey_failures + 1 if soon else 0
        if self._valkey_failures >= _FAILURES:
            _say("the embedded Valkey ends as soon as it has begun: look into its log")
            return False
        try:
            valkey.start()
        except StoreError as error:
            _say(str(error))  # it is seen to have ended the next time
        self._valkey_began = time.monotonic()
        return True

    def _end(self) -> None:
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError):
                worker.terminate()
        until = time.monotonic() + _STOP_S
        for worker in self._workers:
            try:
                worker.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        os.close(self._held)
        os.close(self._leash)
        if self._valkey is not None:
            self._valkey.stop()


@contextmanager
def _signals(stop: Callable[[], None]) -> Generator[Callable[[float | None], None]]:
    """Have signals to stop call something; yields a wait for any signal, or for so many seconds."""
    here, there = socket.socketpair()
    here.setblocking(False)
    there.setblocking(False)
    kinds = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    before = {kind: signal.getsignal(kind) for kind in kinds}
    awake = signal.set_wakeup_fd(there.fileno(), warn_on_full_buffer=False)

    def heard(kind: int, _: object) -> None:
        if kind != signal.SIGCHLD:
            stop()

    for kind in kinds:
        signal.signal(kind, heard)
    selector = selectors.DefaultSelector()
    selector.register(here, selectors.EVENT_READ)

    def wait(seconds: float | None) -> None:
        if selector.select(seconds):
            with contextlib.suppress(BlockingIOError):
                here.recv(4096)

    try:
        yield wait
    finally:
        signal.set_wakeup_fd(awake)
        for kind, handler in before.items():
            signal.signal(kind, handler)
        selector.close()
        here.close()
        there.close()


def _say(text: str) -> None:
    print(f"roomkit: {text}", file=sys.stderr, flush=True)  # noqa: T201 - who runs it looks there
