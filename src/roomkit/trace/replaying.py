"""A trace fed to a fresh engine: it must say again, byte for byte, what it said before (law 14).

The host's policy is not asked again, and no id is rolled again: what they gave is in the trace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from roomkit.core.effects import Effect
from roomkit.core.engine import Engine
from roomkit.core.events import User
from roomkit.core.policy import Action, allow_own
from roomkit.core.state import State
from roomkit.ids import RoomId
from roomkit.trace.differing import first_difference
from roomkit.trace.reading import Segment
from roomkit.trace.records import Header, Step, digest, same_state

__all__ = ["Played", "Player", "Watcher", "replay"]


class Played(msgspec.Struct, frozen=True):
    """A step, played again.

    Attributes:
        number: of the step in its run, from 1.
        effects: what the engine says now; empty if it failed.
        raised: name of the exception if it failed now.
        difference: how this is not what was recorded; None if it is, byte for byte.
    """

    header: Header
    number: int
    step: Step
    effects: list[Effect]
    raised: str | None = None
    difference: str | None = None


class Watcher:
    """Sees a replay from inside; made to be overridden."""

    def begins(self, state: State, header: Header, *, continues: bool) -> None:
        """A segment begins. `continues` it what was played before, without a hole?"""

    def steps(self, number: int, step: Step) -> None:
        """A step is about to be played."""


class Player:
    """An engine that is given what another one was given."""

    def __init__(self, header: Header, state: State) -> None:
        self._minted: deque[str] = deque()
        self._answers: deque[bool | None] = deque()
        self._missing: str | None = None
        self.engine = Engine(
            limits=header.limits,
            mint=self._mint,
            policy=self._answer if header.asks else allow_own,
            state=state,
        )

    def play(self, header: Header, number: int, step: Step) -> Played:
        """Play one step."""
        self._minted.clear()
        self._minted.extend(step.minted)
        self._answers.clear()
        self._answers.extend(step.answers)
        self._missing = None
        effects: list[Effect] = []
        raised = None
        try:
            effects = self.engine.step(step.input, step.now)
        except Exception as error:  # noqa: BLE001 - the engine failed then, or fails now
            raised = type(error).__name__
        return Played(
            header, number, step, effects, raised, self._difference(step, effects, raised)
        )

    def _difference(self, step: Step, effects: list[Effect], raised: str | None) -> str | None:
        if raised != step.raised:
            recorded = f"the engine failed with {step.raised}" if step.raised else "it did not fail"
            now = f"it fails with {raised}" if raised else "it does not fail"
            return f"recorded: {recorded}; now: {now}"
        if self._missing is not None:
            return self._missing
        if self._minted:
            return f"it asks for {len(self._minted)} fewer ids than were minted"
        if self._answers:
            return f"it asks the policy {len(self._answers)} times fewer"
        if raised is None and digest(effects) != step.digest:
            return f"recorded: effects {step.digest.hex()}; now: effects {digest(effects).hex()}"
        return None

    def _mint(self) -> str:
        if not self._minted:
            self._missing = "it asks for more ids than were minted"
            return "no-id-was-recorded"
        return self._minted.popleft()

    def _answer(self, user: User, room: RoomId, action: Action) -> bool:
        if not self._answers:
            self._missing = f"it asks the policy about {action}, as nobody did"
            return False
        answer = self._answers.popleft()
        if answer is None:
            raise RuntimeError("the policy failed here")
        return answer


def replay(segments: Iterable[Segment], watcher: Watcher | None = None) -> Iterator[Played]:
    """Yield every step of a trace, played again; nothing after the first that differs.

    Where one segment continues another, the state it begins with must be the one just reached.

    Raises:
        TraceError: another version wrote it.
    """
    watching = watcher or Watcher()
    player: Player | None = None
    run, number = "", 0
    last: Played | None = None
    for segment in segments:
        header, state = segment.header, segment.state()
        continues = player is not None and (header.run, header.first) == (run, number + 1)
        if player is None or not continues:
            player = Player(header, state)
        elif last is not None:
            reached = player.engine.state
            if not same_state(state, reached):
                where = first_difference(state, reached) or "what is shared in it"
                yield msgspec.structs.replace(last, difference=f"the state after it: {where}")
                return
        watching.begins(player.engine.state, header, continues=continues)
        run, number = header.run, header.first - 1
        for step in segment.steps():
            number += 1
            watching.steps(number, step)
            last = player.play(header, number, step)
            yield last
            if last.difference is not None:
                return
