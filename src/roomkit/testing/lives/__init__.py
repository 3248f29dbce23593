"""Lives of a chat: people and a host who do things, and a store and nodes that fail them.

`crowd` and `trouble` can do everything that can happen, one thing at a time; `people_rules` and
`trouble_rules` let Hypothesis choose; `rest` ends a life and looks at what is left of it.
"""

from roomkit.testing.lives.crowd import Crowd
from roomkit.testing.lives.life import Life
from roomkit.testing.lives.trouble import Trouble

__all__ = ["Crowd", "Life", "Trouble"]
