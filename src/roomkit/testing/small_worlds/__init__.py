"""Small worlds, looked at exhaustively: two people, two nodes, some commands, a crash, a lost hint.

Where the simulator draws lives, this walks through all there are: every order in which commands,
store calls, their answers, hints, a crash, a loss and timers can follow each other, breadth-first,
each state of the whole world once. In every state the laws of the protocol page are checked, and
each end is left alone until it must have come to rest. What happens there is the real engine's and
the real `MemoryRoom`'s doing. Not checked here: laws 7 (nobody types), 11 (about bytes), 14 (taken
for granted: steps are looked up), and of law 12 that a refused command changes nothing.

A count says how large a world was: every state of it was looked at if the search is `complete`.

What is bounded, beside the plots and `Bounds`:

* What a connection is told, it has at once, and a node hears at once of what it closed; frames lost
  in a crash are those its node never wrote.
* `Follow`, `Unfollow` and a renewal take effect in the step that asks for them, and `FindLapsed`
  is answered in the move that performs it. The lease of a node that lives never lapses.
* Signals are not brought (nobody types, and the roster stays on), nothing fails or stays unknown
  but by a crash, and no snapshot is due.
* Time moves by one period at a time, and before the calm only when something has gone wrong.

Nothing else is left out, and no order is taken for another: states are one only if they are equal.
"""

from __future__ import annotations

from roomkit.testing.small_worlds.place import Bounds
from roomkit.testing.small_worlds.plots import PLOTS, Plot
from roomkit.testing.small_worlds.search import Count, WorldBroken, search
from roomkit.testing.small_worlds.telling import told

__all__ = ["PLOTS", "Bounds", "Count", "Plot", "WorldBroken", "search", "told"]
