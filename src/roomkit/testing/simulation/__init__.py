"""Whole services under virtual time: servers that die, stores that fail, networks that cut.

`python -m roomkit.testing.simulation --seed N` lives one life: what people and faults do is drawn
from the seed, at least 300 steps of it; then all trouble ends, and everything must agree. Every law
of the protocol page is checked over the whole of it. The engine, the wire, the fan-out, the
outboxes, the tokens and the clients are the real ones; the network, the clock and the store's
temper are not.

* `plan`: what a seed means; `people`, `faults`, `store_faults`: what each step does; `life`: a life
  from its plan.
* `stage`: all there is in a life; `front` and `door`: the server, `calls`: its end of the store,
  `versions`: a newer server; `wire`: a connection; `seat`: a client; `agenda`: the only clock.
* `checks`: every checker, `spoken` at the engine's mouth, `kept` in the store and `held` in the
  clients' hands among them; `expected`: the protocol page's data once more; `bounds`: how soon
  everything must agree.
* `runs`, `shrinking`, `many`, `tally`: many lives, the first that fails made small, what came up.
"""

from roomkit.testing.simulation.runs import Simulation, SimulationFailed
from roomkit.testing.simulation.tally import Tally

__all__ = ["Simulation", "SimulationFailed", "Tally"]
