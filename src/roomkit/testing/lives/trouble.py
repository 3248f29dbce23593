"""A store and a network that misbehave: answers late, lost, wrong, in another order; dead nodes.

All of it is what the store contract allows: an append ends as unknown whether it was stored or not,
anything else may fail, hints are lost and late, and a node may stand still or die at any moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

from roomkit.core.effects import (
    Append,
    Effect,
    FindLapsed,
    Follow,
    LoadRoom,
    PageMessages,
    ReadLog,
    ReadTips,
    Renew,
    SaveRoom,
    Unfollow,
)
from roomkit.core.inputs import (
    Appended,
    Fed,
    Input,
    LapsedFound,
    LeaseRenewed,
    LogRead,
    MessagesPaged,
    RoomLoaded,
    RoomSaved,
    TipsRead,
)
from roomkit.core.storage import (
    Behind,
    Failed,
    Hint,
    Interrupted,
    Nonce,
    Outcome,
    StoreSignal,
    Unknown,
)
from roomkit.ids import RoomId
from roomkit.stores.memory import (
    MemoryStore,
    _Shared,  # pyright: ignore[reportPrivateUsage]  # likewise
)
from roomkit.stores.memory_room import MemoryRoom
from roomkit.testing.laws import Laws
from roomkit.testing.world import Node, World

__all__ = ["Ending", "Feed", "Trouble"]

Ending = Literal["stored", "behind", "failed", "lost", "unknown", "late"]
"""How an append ends: `lost` and `late` are unknown and not stored, `late` being stored later."""

Feed = Literal["brings", "drops", "holds"]


@dataclass
class _Lot:
    """What fate has in hand for one node.

    Attributes:
        answers: of calls the store has performed, not stepped yet.
        late: appends that the store has yet to be asked, long after they were answered.
        uncertain: names of appends that once ended as unknown: the store does not call those behind
            unless they are.
        held: hints and signals on their way.
    """

    answers: list[Input] = field(default_factory=list[Input])
    late: list[Append] = field(default_factory=list[Append])
    uncertain: set[Nonce] = field(default_factory=set[Nonce])
    held: list[Hint | StoreSignal] = field(default_factory=list[Hint | StoreSignal])
    feed: Feed = "brings"


class Trouble:
    """Decides over the store calls and the feed of every node in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lots: dict[str, _Lot] = {}
        self._replica: OrderedDict[RoomId, MemoryRoom] | None = None
        world.hints = self._fate_of_hint

    def lot(self, node: Node) -> _Lot:
        """Return what a node has to expect."""
        lot = self._lots.get(node.name)
        if lot is None:
            lot = self._lots[node.name] = _Lot()
        return lot

    def perform(self, node: Node, pick: int, now: bool = True) -> None:
        """Perform one waiting call of a node; if not `now`, its answer waits for `answer`."""
        effect = self._take(node, pick)
        if effect is None:
            return
        answer = node.call(effect)
        if answer is None:
            return
        if now:
            node.step(answer)
        else:
            self.lot(node).answers.append(answer)

    def answer(self, node: Node, pick: int) -> None:
        """Step one answer that waits."""
        answers = self.lot(node).answers
        if answers:
            node.step(answers.pop(pick % len(answers)))

    def end_append(self, node: Node, ending: Ending) -> bool:
        """End a node's oldest append in one of the ways it may; False if it could not be that way.

        It is performed then as if nothing were wrong, if there is one.
        """
        append = next((one for one in node.pending if type(one) is Append), None)
        if append is None or self._append_called(node):
            return False
        node.pending.remove(append)
        outcome: Outcome | None = None
        lot = self.lot(node)
        match ending:
            case "behind" if append.nonce not in lot.uncertain:
                outcome = Behind()
            case "failed":
                outcome = Failed("the disk is full")
            case "lost":
                outcome = Unknown("nobody knows")
            case "late":
                outcome = Unknown("nobody knows")
                lot.late.append(append)
            case "unknown":
                outcome = Unknown("nobody knows")
                node.append(append)
            case _:
                pass
        if type(outcome) is Unknown:
            lot.uncertain.add(append.nonce)
        node.perform(append, outcome)
        return outcome is not None

    def store_late(self, node: Node) -> None:
        """Have an append that was given up arrive at the store after all."""
        late = self.lot(node).late
        if late:
            node.append(late.pop(0))

    def fail(self, node: Node, pick: int) -> bool:
        """Fail a waiting call that is no append; False if there is none that can fail."""
        effect = self._take(node, pick, appends=False)
        if effect is None:
            return False
        answer = _failure(effect)
        if answer is None:
            node.perform(effect)
            return False
        node.step(answer)
        return True

    def set_feed(self, node: Node, feed: Feed) -> None:
        """Have hints and signals for a node come, get lost, or wait."""
        self.lot(node).feed = feed

    def bring(self, node: Node, pick: int) -> None:
        """Bring one hint or signal that waits."""
        held = self.lot(node).held
        if held:
            node.step(Fed(held.pop(pick % len(held))))

    def interrupt(self, node: Node) -> None:
        """Tell a node that it may have missed something, and lose what was on its way."""
        self.lot(node).held.clear()
        node.step(Fed(Interrupted()))

    def copy_store(self) -> None:
        """Have a replica of the store catch up."""
        self._replica = deepcopy(self._shared.rooms)

    @property
    def copied(self) -> bool:
        """Whether there is a replica."""
        return self._replica is not None

    def fail_over(self, laws: Laws, told: bool) -> None:
        """Lose everything the replica does not have; every node may be told of an interruption."""
        if self._replica is None:
            return
        shared, self._replica = self._shared, deepcopy(self._replica)
        shared.rooms, shared.names = self._replica, sorted(self._replica)
        self._replica = None
        laws.fail_over({name: room.tip_seq for name, room in shared.rooms.items()})
        for node in self.world.nodes if told else ():
            self.interrupt(node)

    @property
    def _shared(self) -> _Shared:
        store = self.world.nodes[0].store
        assert isinstance(store, MemoryStore)
        return store._shared  # pyright: ignore[reportPrivateUsage]  # a failover is no call

    def end(self) -> None:
        """Let everything that waits arrive, and nothing go wrong any more."""
        for node in self.world.nodes:
            lot = self.lot(node)
            lot.feed = "brings"
            while lot.late:
                self.store_late(node)
            while lot.answers:
                self.answer(node, 0)
            while lot.held:
                self.bring(node, 0)

    def _fate_of_hint(self, node: Node, item: Hint | StoreSignal) -> bool:
        lot = self.lot(node)
        if lot.feed == "holds":
            lot.held.append(item)
        return lot.feed == "brings"

    def _append_called(self, node: Node) -> bool:
        answers = self.lot(node).answers
        return bool(answers) and any(type(answer) is Appended for answer in answers)

    def _take(self, node: Node, pick: int, appends: bool = True) -> Effect | None:
        """Take a waiting call; of appends, and of a room's loads, only the oldest may go."""
        ready = _ready(node, appends and not self._append_called(node))
        effect = next(ready, None)
        if effect is not None:
            if pick:
                those = [effect, *ready]
                effect = those[pick % len(those)]
            node.pending.remove(effect)
        return effect


def _ready(node: Node, appends: bool) -> Iterator[Effect]:
    """Yield the waiting calls that may go before all others, oldest first."""
    seen: set[object] = set()
    for effect in node.pending:
        lane = _lane(effect)
        if (lane is None or lane not in seen) and (appends or type(effect) is not Append):
            yield effect
        seen.add(lane)


def _lane(effect: Effect) -> object:
    """Return what an effect must not overtake another with the same of; None for nothing."""
    if type(effect) is Append:
        return "append"
    if type(effect) is Follow or type(effect) is Unfollow or type(effect) is LoadRoom:
        return effect.room
    return None


def _failure(effect: Effect) -> Input | None:
    """Return the answer of a store that failed, None for what is not answered."""
    match effect:
        case LoadRoom(room):
            return RoomLoaded(room, None)
        case ReadLog(room, after):
            return LogRead(room, after, None)
        case SaveRoom(room, snapshot):
            return RoomSaved(room, snapshot.position, kept=False)
        case PageMessages(room, page):
            return MessagesPaged(room, page, None)
        case ReadTips(rooms):
            return TipsRead(rooms, None)
        case Renew(node):
            return LeaseRenewed(node, renewed=False)
        case FindLapsed():
            return LapsedFound(())
        case _:
            return None
