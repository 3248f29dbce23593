"""The life of a room's queue, found by running the engine on a store that answers in every way."""

from __future__ import annotations

import copy
from collections.abc import Callable

from exploring import Life, Moves, explore

from roomkit.core.commands import JoinRoom, LeaveRoom, SendMessage
from roomkit.core.effects import Append, Effect, LoadRoom, ReadLog
from roomkit.core.inputs import Input, LogRead, Received, RoomLoaded, TipsRead
from roomkit.core.state import Served
from roomkit.core.storage import Behind, Failed, Outcome, Unknown
from roomkit.core.timers import Timer
from roomkit.ids import RoomId
from roomkit.testing.world import Node, World

__all__ = ["room_life"]

_LOBBY = RoomId("lobby")
_QUEUE = (Append, LoadRoom, ReadLog)
"""The store effects whose answers a queue waits for."""


class _ARoom:
    """One node serving one room for alice, whose store answers in every way a store may."""

    def __init__(self) -> None:
        self.world = World()
        self.node: Node = self.world.node()
        self.alice = self.node.open("first", "alice")
        self.left = False
        self._tidy()

    def _tidy(self) -> None:
        """Perform what has nothing to do with a queue."""
        for effect in [e for e in self.node.pending if not isinstance(e, _QUEUE)]:
            self.node.pending.remove(effect)
            self.node.perform(effect)

    def _served(self) -> Served | None:
        return self.node.engine.state.rooms.get(_LOBBY)

    def state(self) -> str:
        served = self._served()
        if served is None:
            return "not served"
        if served.paused:
            return "pausing"
        if served.loading:
            return "loading"
        if served.reading:
            return "reading on"
        return "storing" if served.batch is not None else "ready"

    def memory(self) -> object:
        served = self._served()
        if served is None:
            return self.left
        return (
            len(served.queue),
            served.batch is None,
            served.room is None,
            bool(served.members),
            self.left,
        )

    def moves(self) -> Moves:
        served, timers = self._served(), self.node.engine.state.timers
        found: Moves = {}
        if served is None or not (served.members or served.queue or served.batch):
            if not self.left:
                found["join"] = self._does(Received(self.alice, JoinRoom(room="lobby")))
        elif len(served.queue) < 2 and not self.left:
            found["send"] = self._does(
                Received(self.alice, SendMessage(room="lobby", message="hello"))
            )
            found["leave"] = self._leave
        for effect in self.node.pending:
            match effect:
                case Append():
                    found["Stored"] = self._answers(effect)
                    for outcome in (Behind(), Failed(""), Unknown("")):
                        found[type(outcome).__name__] = self._appends(effect, outcome)
                case LoadRoom():
                    found["RoomLoaded"] = self._answers(effect)
                    found["RoomLoaded: failed"] = self._fails(effect, RoomLoaded(_LOBBY, None))
                case ReadLog(_, after):
                    found["LogRead"] = self._answers(effect)
                    found["LogRead: failed"] = self._fails(effect, LogRead(_LOBBY, after, None))
                case _:
                    continue
        if (Timer.RETRY, _LOBBY) in timers:
            found["RETRY timer"] = lambda: self._passes(Timer.RETRY)
        if served is not None and served.room is not None and served.room.tip.seq:
            found["TipsRead: forked"] = self._loses
        if (Timer.FORGET, _LOBBY) in timers:
            found["FORGET timer"] = lambda: self._passes(Timer.FORGET)
        return found

    def _does(self, given: Input) -> Callable[[], str]:
        def move() -> str:
            self.node.step(given)
            self._tidy()
            return type(given).__name__

        return move

    def _leave(self) -> str:
        self.left = True
        return self._does(Received(self.alice, LeaveRoom(room="lobby")))()

    def _answers(self, effect: Effect) -> Callable[[], None]:
        def move() -> None:
            self.node.pending.remove(effect)
            self.node.perform(effect)
            self._tidy()

        return move

    def _appends(self, effect: Append, outcome: Outcome) -> Callable[[], None]:
        def move() -> None:
            self.node.pending.remove(effect)
            self.node.perform(effect, outcome)
            self._tidy()

        return move

    def _fails(self, effect: Effect, answer: Input) -> Callable[[], None]:
        def move() -> None:
            self.node.pending.remove(effect)
            self.node.step(answer)
            self._tidy()

        return move

    def _passes(self, timer: Timer) -> None:
        """Let time go on until a timer of the room has fired."""
        engine = self.node.engine
        while (deadline := engine.next_deadline) is not None:
            self.world.clock.move_to(deadline)
            due = list(copy.deepcopy(engine.state.timers).take_due(deadline))
            self.node.tick()
            self._tidy()
            if (timer, _LOBBY) in due:
                return

    def _loses(self) -> None:
        """The store's tip is below ours: it lost what we had folded."""
        served = self._served()
        assert served is not None and served.room is not None
        served.tip_asked = served.room.tip
        self.node.step(TipsRead((_LOBBY,), {}))
        self._tidy()


def room_life() -> Life:
    """Return the life of a room's queue on one node."""
    return explore(_ARoom, 9)
