"""The hub's black box: an engine that notes what it is given, and a thread that writes it down.

Each step is packed in the loop, where nothing can change meanwhile. The thread compresses and
writes what there is 20 times a second: `kill -9` loses the last 50 ms or so. Where a segment
begins, the state is packed in the loop too, which takes the longer the more the rooms hold.

Whatever goes wrong is told in the log and never reaches the chat. If the disk is too slow, or a
host's value cannot be packed, the trace has a hole: the next segment begins after it. If the disk
refuses, recording ends.
"""

from __future__ import annotations

import gc
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from os import PathLike
from pathlib import Path

import anyio.to_thread

from roomkit.core.effects import Effect
from roomkit.core.engine import Engine
from roomkit.core.events import User
from roomkit.core.inputs import Input, Now
from roomkit.core.policy import Action, Policy, allow_own
from roomkit.core.state import State
from roomkit.errors import TraceError
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.runtime.complaints import Complaints
from roomkit.trace.folder import TraceFolder
from roomkit.trace.records import FORMAT, Header, pack_state, pack_step

__all__ = ["BlackBox", "RecordedEngine", "Tape", "packed", "running_engine"]

_FLUSH_SECONDS = 0.05
_BEHIND_BYTES = 32 * 1024 * 1024
"""What may wait for the disk before there is a hole."""

_VERSION = version("roomkit-chat")

_Beginning = tuple[Header, object]


class BlackBox:
    """Where a hub is recorded, and how much of it is kept.

    Attributes:
        most_bytes: what all segments together may take.

    Raises:
        ValueError: there is less than one MiB.
    """

    def __init__(self, folder: str | PathLike[str], most_mib: int) -> None:
        if most_mib < 1:
            raise ValueError(f"record_mib is {most_mib}: a trace needs 1 MiB or more")
        self.folder = Path(folder)
        self.most_bytes = most_mib * 1024 * 1024


@asynccontextmanager
async def running_engine(
    box: BlackBox | None, *, limits: Limits, mint: Callable[[], str], policy: Policy
) -> AsyncGenerator[Engine]:
    """Make an engine; with a black box all of its life is in there when this is left.

    Raises:
        TraceError: nothing can be written there.
    """
    if box is None:
        yield Engine(limits=limits, mint=mint, policy=policy)
        return
    tape = Tape(TraceFolder(box.folder, box.most_bytes))
    try:
        yield RecordedEngine(tape, limits=limits, mint=mint, policy=policy)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(tape.close)


class RecordedEngine(Engine):
    """An engine whose every step is put on a tape."""

    def __init__(
        self, tape: Tape, *, limits: Limits, mint: Callable[[], str], policy: Policy
    ) -> None:
        self._tape = tape
        self._limits = limits
        self._run = mint()
        self._asks = policy is not allow_own
        self._minted: list[str] = []
        self._answers: list[bool | None] = []
        self._number = 0
        self._failed = False
        self._complaints = Complaints()

        def noted_mint() -> str:
            minted = mint()
            self._minted.append(minted)
            return minted

        def noted_policy(user: User, room: RoomId, action: Action) -> bool:
            self._answers.append(None)
            answer = bool(policy(user, room, action))
            self._answers[-1] = answer
            return answer

        super().__init__(
            limits=limits,
            mint=noted_mint,
            policy=noted_policy if self._asks else allow_own,
        )
        self._minted.clear()

    def step(self, input: Input, now: Now) -> list[Effect]:
        """Take one input, and put on the tape what it was and what came of it."""
        if self._tape.attention:
            self._attend()
        self._number += 1
        self._failed = True
        try:
            effects = super().step(input, now)
        except BaseException as error:
            self._note(input, now, None, type(error).__name__)
            raise
        self._failed = False
        self._note(input, now, effects, None)
        return effects

    def _note(
        self, input: Input, now: Now, effects: list[Effect] | None, raised: str | None
    ) -> None:
        minted, answers = self._minted, self._answers
        try:
            self._tape.add(pack_step(input, now, minted, answers, effects, raised))
        except Exception as error:  # noqa: BLE001 - the host may put in what nobody can pack
            self._tape.lose("a step cannot be written down", error)
        if minted:
            minted.clear()
        if answers:
            answers.clear()

    def _attend(self) -> None:
        """Do what the tape wants of the loop: tell of its trouble, begin a segment."""
        tape = self._tape
        # What a failed step has left undone is not in the state: the next step does it.
        tape.attention = tape.wants_state and self._failed
        while tape.troubles:
            text, error = tape.troubles.popleft()
            self._complaints.warn(text, text, error)
        if tape.wants_state and not self._failed:
            first = self._number + 1
            header = Header(FORMAT, self._run, first, _VERSION, self._limits, self._asks)
            tape.begin(header, packed(self.state))


def packed(state: State) -> object:
    """Pack a state without the garbage collector, which would look through all of it again and
    again, and find nothing: four times as fast."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return pack_state(state)
    finally:
        if collecting:
            gc.enable()


class Tape:
    """Takes packed steps in the loop and writes them in a thread.

    Attributes:
        attention: something below is to be looked at, before the next step.
        wants_state: another segment is to begin.
        troubles: what the log is to be told: a text, and its cause.
    """

    def __init__(self, folder: TraceFolder) -> None:
        self.attention = self.wants_state = True
        self.troubles: deque[tuple[str, Exception | None]] = deque()
        self._folder = folder
        self._waiting: deque[bytes | _Beginning] = deque()
        self._put_bytes = self._taken_bytes = 0  # each changed by one side only
        self._recording = self._ended = False
        self._something = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="roomkit recorder", daemon=True)
        self._thread.start()

    # In the loop

    def begin(self, header: Header, state: object) -> None:
        """Begin another segment."""
        self.wants_state = False
        self._recording = not self._ended
        if self._recording:
            self._put((header, state))

    def add(self, step: bytes) -> None:
        """Take a step, if a segment is begun."""
        if self._recording:
            self._put(step)
            self._put_bytes += len(step)
            if self._put_bytes - self._taken_bytes > _BEHIND_BYTES:
                self.lose("its disk is too slow", None)

    def lose(self, why: str, error: Exception | None) -> None:
        """Leave a hole, up to the next state."""
        if self._recording:
            self._recording = False
            self._tell(f"the trace has a hole: {why}", error)
            self._something.set()

    def close(self) -> None:
        """Write all that is there and end. Blocks."""
        self._closing.set()
        self._something.set()
        self._thread.join()

    def _put(self, item: bytes | _Beginning) -> None:
        self._waiting.append(item)
        if not self._something.is_set():
            self._something.set()

    # In the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            self._something.wait()
            self._closing.wait(_FLUSH_SECONDS)
            self._something.clear()
            self._write_waiting()
        self._write_waiting()
        self._folder.close()

    def _write_waiting(self) -> None:
        try:
            while self._waiting and not self._ended:
                self._write_next()
        except (OSError, TraceError) as error:
            self._ended, self._recording = True, False
            why = error.strerror if isinstance(error, OSError) else error
            self._tell(f"the trace ends here ({why}): enter the hub anew to begin another", None)
        if self._ended:
            self._waiting.clear()
        elif not self.wants_state and (self._folder.full or not self._recording):
            self.wants_state = self.attention = True

    def _write_next(self) -> None:
        """Write the steps up to the next beginning, or that beginning."""
        waiting, steps = self._waiting, list[bytes]()
        while waiting and isinstance(waiting[0], bytes):
            step = waiting.popleft()
            assert isinstance(step, bytes)
            steps.append(step)
        if steps:
            self._taken_bytes += sum(map(len, steps))
            self._folder.add(steps)
        else:
            beginning = waiting.popleft()
            assert not isinstance(beginning, bytes)
            self._folder.begin(*beginning)

    def _tell(self, text: str, error: Exception | None) -> None:
        self.troubles.append((text, error))
        self.attention = True
