"""Logs for tests: chained entries made from facts, as a store would make them."""

from collections.abc import Iterable

from roomkit.core import facts
from roomkit.core.storage import Entry
from roomkit.ids import NodeId, SessionId, UserId, chain_link

N1, N2 = NodeId("n1"), NodeId("n2")


class LogBuilder:
    """Chains entries. `at` of each is the milliseconds given when it is added."""

    def __init__(self, origin: str = "0" * 16) -> None:
        self.entries: list[Entry] = []
        self._origin = origin

    def add(self, fact: facts.Fact | bytes, at: int = 0) -> Entry:
        """Append a fact and return its entry."""
        data = fact if isinstance(fact, bytes) else facts.encode(fact)
        prev = self.entries[-1].link if self.entries else self._origin
        control = type(fact) in facts.CONTROL_FACTS
        seq = len(self.entries) + 1
        entry = Entry(seq, at, prev, chain_link(prev, at, data), data, control)
        self.entries.append(entry)
        return entry


def arrival(name: str, tab: int = 1, ago_ms: int = 0, user: str | None = None) -> facts.Arrival:
    """A session of a user entering; ids derive from the name."""
    user_id = user or f"u-{name}"
    return facts.Arrival(SessionId(f"{user_id}-{tab}"), UserId(user_id), name, ago_ms=ago_ms)


def departure(name: str, tab: int = 1, reason: str = "left") -> facts.Departure:
    """A session of a user leaving."""
    return facts.Departure(SessionId(f"u-{name}-{tab}"), UserId(f"u-{name}"), reason)


def entered(*arrivals: facts.Arrival, node: NodeId = N1) -> facts.Entered:
    """Sessions entering at a node."""
    return facts.Entered(node, list(arrivals))


def left(*departures: facts.Departure, node: NodeId = N1) -> facts.Left:
    """Sessions leaving from a node."""
    return facts.Left(node, list(departures))


def posted(name: str, text: str) -> facts.Posted:
    """A message."""
    return facts.Posted(UserId(f"u-{name}"), name, text)


def chain(all_facts: Iterable[facts.Fact]) -> list[Entry]:
    """Return the log these facts make."""
    builder = LogBuilder()
    for fact in all_facts:
        builder.add(fact)
    return builder.entries
