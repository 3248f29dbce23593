"""The engine: rooms, presence, history and typing as one pure state machine.

`Engine.step(input, now)` takes one input and returns the effects the shell must perform, in order.
The engine decides everything and does nothing: it knows no socket, clock, loop, chance, secret or
JSON. Times come in with each step, ids come from the `mint` it is given, and what is said to a
store is opaque bytes to the store. The same inputs give the same effects.

The idea, in one sentence: whatever must last about a room is a *fact* in that room's log, the store
gives each fact its place, and a room is the fold of its entries, the same on every node.

The files, in reading order:

* what goes in and what comes out: `commands` (what a client may wish), `inputs` (all that drives
  the engine), `effects` (what the shell is told), `events` and `views` (what clients learn),
  `storage` (what is said to and by a store)
* a room: `facts` (what its log holds), `room` (the fold), `tail` (the newest events, for those who
  come back), `history` (the newest messages, and pages), `names` (fit to be shown, or not)
* a node: `state` (all that is remembered between two steps), `timers`, `typists`, `pacing`,
  `policy`, `signals` (what nodes tell each other and nobody keeps)
* the way of a command: `engine` (the dispatch), `turn` (a step in progress), `intake` (from a frame
  to a room), `queue` (one per room), `table` (what each command requires), then its handler in
  `membership`, `messages`, `revisions`, `reading`, `hosting` or `presence`, `showing` (a room to
  who comes), and `batch` (into one append)
* the way back: `log` (from an append's outcome to events and answers), `following` (loading,
  reading on, hints), `keeping` (snapshots, letting go)
* people: `sessions` (connections and the sessions that outlive them), `presence` (rosters, counts,
  leases)

The scripts in `tests/scripts` show what comes out for what goes in.
"""

from roomkit.core.commands import Command, Hello
from roomkit.core.effects import Effect, StoreEffect
from roomkit.core.engine import Engine
from roomkit.core.events import Event, User
from roomkit.core.inputs import HostCommand, Input, Now
from roomkit.core.policy import Action, allow_own

__all__ = [
    "Action",
    "Command",
    "Effect",
    "Engine",
    "Event",
    "Hello",
    "HostCommand",
    "Input",
    "Now",
    "StoreEffect",
    "User",
    "allow_own",
]
