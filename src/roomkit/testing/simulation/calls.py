"""A node's store calls: when each is made, how it ends, and when its answer comes."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Protocol

from roomkit.core.effects import Append
from roomkit.core.inputs import Input
from roomkit.testing.lives.trouble import Ending, Losing, Trouble
from roomkit.testing.simulation.agenda import Agenda
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.world import Node

__all__ = ["GIVEN_UP_MS", "Calls", "Shell"]

GIVEN_UP_MS = 1_000
"""After so long a call is given up. (Real stores: 2 s, and leases last 45 s; here 6 s.)"""

_QUICK_MS = 1
_ASLEEP_MS = 500


class Shell(Protocol):
    """Whose calls they are.

    Attributes:
        alive: False once the node was killed.
        asleep: the node stands still.
    """

    node: Node
    alive: bool
    asleep: bool

    def touched(self) -> None:
        """Something may have to be done at the end of this moment."""
        ...


class Calls:
    """What stands between a node and its store.

    Attributes:
        takes_ms: how long the store takes, each way; None if it does nothing.
        losing: what becomes of every call while no answer comes; None while answers come.
        fates: how the next appends end.
        failures: how many of the next other calls fail.
        never: what becomes of the next calls, which nobody is told of.
    """

    def __init__(self, shell: Shell, agenda: Agenda, trouble: Trouble, tally: Tally) -> None:
        self.takes_ms: int | None = _QUICK_MS
        self.losing: Losing | None = None
        self.fates: deque[Ending] = deque()
        self.failures = 0
        self.never: deque[Losing] = deque()
        self._shell = shell
        self._agenda = agenda
        self._trouble = trouble
        self._tally = tally
        self._waiting = False

    def hear(self) -> None:
        """The store is quick again, and answers."""
        node, trouble = self._shell.node, self._trouble
        self.takes_ms = _QUICK_MS
        if self.losing is not None:
            self.losing = None
            trouble.lot(node).silent = False
            while trouble.lot(node).late:
                trouble.store_late(node)
        self._shell.touched()

    def end(self) -> None:
        """Nothing goes wrong any more."""
        self.fates.clear()
        self.never.clear()
        self.failures = 0
        self.hear()

    def begin(self) -> None:
        """Have the calls that wait made when the store has taken its time."""
        if self._shell.node.pending and not self._waiting and self.takes_ms is not None:
            self._waiting = True
            self._agenda.at(self._agenda.now + self.takes_ms, self._perform)

    def wake_up(self) -> None:
        """The node has stood still: nothing is under way."""
        self._waiting = False

    def _perform(self) -> None:
        """Make the calls: all there are if the store is quick, else one."""
        self._waiting = False
        shell = self._shell
        if not shell.alive or shell.asleep or self.takes_ms is None:
            return
        if self.losing is not None:
            for _ in range(len(shell.node.pending)):
                self._lose(self.losing)
            return
        if self.takes_ms <= _QUICK_MS:
            for _ in range(len(shell.node.pending)):
                self._perform_one(now=True)
        elif shell.node.pending:
            self._perform_one(now=False)
            shell.touched()

    def _perform_one(self, now: bool) -> None:
        node, trouble = self._shell.node, self._trouble
        if not node.pending:
            return
        first = node.pending[0]
        if self.never:
            if self._lose(self.never.popleft()):
                self._tally.fault("never")
        elif type(first) is Append and self.fates:
            ending = self.fates.popleft()
            if trouble.end_append(node, ending):
                self._tally.fault(ending)
        elif type(first) is not Append and self.failures:
            self.failures -= 1
            if trouble.fail(node, 0):
                self._tally.fault("broken")
        elif now:
            trouble.perform(node, 0)
        else:
            trouble.perform(node, 0, now=False)
            self._tally.fault("slow")
            self._agenda.at(self._agenda.now + (self.takes_ms or 0), self._answer)

    def _lose(self, losing: Losing) -> bool:
        """Have a call be given up after a while; False if there was none."""
        answer = self._trouble.lose(self._shell.node, losing)
        if answer is None:
            return False
        self._agenda.at(self._agenda.now + GIVEN_UP_MS, partial(self._give_up, answer))
        return True

    def _give_up(self, answer: Input) -> None:
        shell = self._shell
        if shell.alive and shell.asleep:
            self._agenda.at(self._agenda.now + _ASLEEP_MS, partial(self._give_up, answer))
        elif shell.alive:
            self._trouble.give_up(shell.node, answer)
            shell.touched()

    def _answer(self) -> None:
        if not self._shell.alive:
            return
        if self._shell.asleep:
            self._agenda.at(self._agenda.now + _ASLEEP_MS, self._answer)
        else:
            self._trouble.answer(self._shell.node, 0)
