"""A store and a network that misbehave: answers late, lost, wrong, in another order; dead nodes.

All of it is what the store contract allows: an append ends as unknown whether it was stored or not,
anything else may fail, hints are lost and late, and a node may stand still or die at any moment.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    SendToNodes,
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
from roomkit.testing.world import Node, World

__all__ = ["Ending", "Feed", "Losing", "Trouble"]

Ending = Literal["stored", "behind", "failed", "lost", "unknown", "late"]
"""How an append ends: `lost` and `late` are unknown and not stored, `late` being stored later."""

Feed = Literal["brings", "drops", "holds", "repeats"]
"""What becomes of hints and signals; those repeated come at once, and once more when brought."""

Losing = Literal["unheard", "unanswered", "late"]
"""What becomes of a call whose answer nobody hears.

It never reached the store, or it was performed, or it will be later, if it is an append.
"""


@dataclass
class _Lot:
    """What fate has in hand for one node.

    Attributes:
        answers: of calls the store has performed, not stepped yet.
        overdue: what calls will be answered with that are given up, not stepped yet.
        late: appends that the store has yet to be asked, long after they were answered.
        uncertain: names of appends that once ended as unknown: the store does not call those behind
            unless they are.
        held: hints and signals on their way.
        silent: nothing of the feed comes, whatever `feed` says.
    """

    answers: list[Input] = field(default_factory=list[Input])
    overdue: list[Input] = field(default_factory=list[Input])
    late: list[Append] = field(default_factory=list[Append])
    uncertain: set[Nonce] = field(default_factory=set[Nonce])
    held: list[Hint | StoreSignal] = field(default_factory=list[Hint | StoreSignal])
    feed: Feed = "brings"
    silent: bool = False


class Trouble:
    """Decides over the store calls and the feed of every node in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lots: dict[str, _Lot] = {}
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

    def lose(self, node: Node, losing: Losing) -> Input | None:
        """Have the oldest waiting call that may go be made, and not answered.

        Returns:
            What it is to be given up with; None if there was no call, or none that is answered.
        """
        effect = self._take(node, 0)
        if effect is None:
            return None
        answer: Input | None
        if type(effect) is Append:
            answer = Appended(effect.room, effect.nonce, Unknown("nobody knows"))
            lot = self.lot(node)
            lot.uncertain.add(effect.nonce)
            if losing == "unanswered":
                node.append(effect)
            elif losing == "late":
                lot.late.append(effect)
        else:
            answer = _failure(effect)
            subscribes = answer is None and type(effect) is not SendToNodes
            if losing == "unanswered" or subscribes:
                node.call(effect)
        if answer is not None:
            self.lot(node).overdue.append(answer)
        return answer

    def give_up(self, node: Node, answer: Input) -> None:
        """Step what `lose` returned."""
        overdue = self.lot(node).overdue
        if answer in overdue:
            overdue.remove(answer)
            node.step(answer)

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

    def end(self) -> None:
        """Let everything that waits arrive, and nothing go wrong any more."""
        for node in self.world.nodes:
            lot = self.lot(node)
            lot.feed, lot.silent = "brings", False
            while lot.late:
                self.store_late(node)
            while lot.answers:
                self.answer(node, 0)
            while lot.overdue:
                self.give_up(node, lot.overdue[0])
            while lot.held:
                self.bring(node, 0)

    def _fate_of_hint(self, node: Node, item: Hint | StoreSignal) -> bool:
        lot = self.lot(node)
        if lot.silent:
            return False
        if lot.feed in ("holds", "repeats"):
            lot.held.append(item)
        return lot.feed in ("brings", "repeats")

    def _append_called(self, node: Node) -> bool:
        lot = self.lot(node)
        if not (lot.answers or lot.overdue):
            return False
        return any(type(answer) is Appended for answer in (*lot.answers, *lot.overdue))

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
