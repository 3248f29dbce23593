"""Law 5, for pages of history: what is listed is a run of the log's messages, without holes."""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core.commands import GetHistory
from roomkit.core.effects import Answer, Deliver, Effect
from roomkit.core.events import HistoryListed
from roomkit.core.inputs import Asked, HostHistory, Input, Received
from roomkit.ids import RequestId
from roomkit.limits import Limits
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.laws.truth import Truth
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Pages"]


class Pages(Observer):
    """Compares each page with what was asked for and with the whole log."""

    stepping_kinds = frozenset({Received, Asked})
    stepped_kinds = frozenset({Deliver, Answer})

    def __init__(self, truth: Truth, limits: Limits) -> None:
        self._truth = truth
        self._limits = limits
        self._asked: dict[tuple[str, str | RequestId], GetHistory | HostHistory] = {}

    def stepping(self, node: Node, input: Input) -> None:
        if type(input) is Received and type(input.command) is GetHistory:
            if input.command.ref is not None:
                self._asked[input.connection, input.command.ref] = input.command
        elif type(input) is Asked and type(input.command) is HostHistory:
            self._asked[node.name, input.request] = input.command

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if type(effect) is Deliver and type(effect.event) is HistoryListed:
                asked = self._asked.get((effect.connection, effect.event.ref or ""))
                self._compare(node, effect.event, asked)
            elif type(effect) is Answer and type(effect.event) is HistoryListed:
                self._compare(node, effect.event, self._asked.get((node.name, effect.request)))

    def _compare(
        self, node: Node, page: HistoryListed, asked: GetHistory | HostHistory | None
    ) -> None:
        if asked is None:
            return
        room = node.engine.state.rooms[page.room].room
        if room is not None and self._truth.forked(page.room, room.tip):
            return
        folded = room.tip.seq if room is not None else 0
        messages = self._truth.tip(page.room).messages
        seqs = [message.seq for message in messages]
        listed = [message.seq for message in page.messages]
        start = seqs.index(listed[0]) if listed and listed[0] in seqs else 0
        if listed != seqs[start : start + len(listed)]:
            raise LawBroken(5, f"{asked} listed {listed} of the messages {seqs}")
        link = room.tip.link if room is not None else ""
        for message in page.messages:
            if message not in self._truth.forms_since(page.room, link, message.seq):
                raise LawBroken(5, f"{asked} listed {message}, which it neither is nor becomes")
        if len(listed) > (asked.limit or self._limits.history_page):
            raise LawBroken(5, f"{asked} listed {len(listed)}")
        low, high = (listed[0], listed[-1]) if listed else _edges(asked)
        before = [seq for seq in seqs if seq < low]
        older = any(seq <= folded for seq in before)
        newer = any(high < seq <= folded for seq in seqs)
        wrong = (page.has_before and not before) or (older and not page.has_before)
        if wrong or (newer and not page.has_after):
            raise LawBroken(5, f"{asked} listed {listed} of {seqs}: {page}")
        if self._skips(asked, listed, [seq for seq in seqs if seq <= folded]):
            raise LawBroken(5, f"{asked} listed {listed}, and not what is next to it in {seqs}")

    def _skips(self, asked: GetHistory | HostHistory, listed: list[int], seqs: list[int]) -> bool:
        """Tell whether a message between the place asked about and the page is left out."""
        if asked.after is not None:
            nearest = next((seq for seq in seqs if seq > asked.after), None)
            return nearest is not None and listed[:1] != [nearest]
        if asked.around is not None:
            half = (asked.limit or self._limits.history_page) // 2
            above = any(seq >= asked.around for seq in seqs)
            return not listed and (above or (bool(half) and bool(seqs)))
        before = 2**53 if asked.before is None else asked.before
        nearest = max((seq for seq in seqs if seq < before), default=None)
        return nearest is not None and (not listed or listed[-1] < nearest)


def _edges(asked: GetHistory | HostHistory) -> tuple[int, int]:
    """Return what an empty page lies between."""
    if asked.after is not None:
        return asked.after + 1, asked.after
    if asked.around is not None:
        return asked.around, asked.around - 1
    before = 2**53 if asked.before is None else asked.before
    return before, before - 1
