"""Random lives of one or two nodes, with every law checked after every step.

`RoomMachine` is a Hypothesis state machine: what it draws is what people, hosts, stores and
networks may do, in any order. At the end of each life everything is allowed to come to rest and
must agree; then everybody leaves and nothing may be left behind. To look harder at an engine of
your own making, or at another policy:

```python
TestRooms = RoomMachine.TestCase
TestRooms.settings = settings(max_examples=1_000, stateful_step_count=80, deadline=None)
```
"""

from __future__ import annotations

from roomkit.testing.lives.people_rules import PeopleRules
from roomkit.testing.lives.trouble_rules import TroubleRules

__all__ = ["RoomMachine"]


class RoomMachine(PeopleRules, TroubleRules):
    """Everything that can happen, in any order."""
