"""The newest entry events of a room, kept for those who come back.

What is replayed is exactly what was broadcast. Bounded by entries and bytes: whatever is still here
may be replayed, whatever is not is told as a gap.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

from roomkit.core.events import EntryEvent, Moderated, Posted, RosterChanged
from roomkit.ids import ORIGIN, Position, UserId

__all__ = ["Tail"]

_EVENT_OVERHEAD = 200
"""Bytes reckoned for an event's frame beyond its fact: type, room, seq, link, time."""


@dataclass(slots=True)
class Tail:
    """Events after `base`, dense, oldest first.

    Attributes:
        size: bytes, as reckoned.
        shed: older events were here and have been let go of.
    """

    base: Position = ORIGIN
    events: deque[tuple[EntryEvent, int]] = field(default_factory=deque[tuple[EntryEvent, int]])
    size: int = 0
    shed: bool = False

    def add(self, event: EntryEvent, fact_bytes: int, most: int, most_bytes: int) -> None:
        """Append the next event and let go of the oldest beyond `most` events or `most_bytes`."""
        size = fact_bytes + _EVENT_OVERHEAD
        events, total = self.events, self.size + size
        events.append((event, size))
        while len(events) > most or total > most_bytes:
            oldest, oldest_size = events.popleft()
            self.base = Position(self.base.seq + 1, oldest.link)
            self.shed = True
            total -= oldest_size
        self.size = total

    def link_at(self, seq: int) -> str | None:
        """Return the link of the entry at `seq`, None if it is not here."""
        index = seq - self.base.seq - 1
        if index == -1:
            return self.base.link
        if 0 <= index < len(self.events):
            return self.events[index][0].link
        return None

    def after(self, position: Position) -> list[EntryEvent] | None:
        """Return the events after a position, or None if the position is not in here."""
        if self.link_at(position.seq) != position.link:
            return None
        return [event for event, _ in islice(self.events, position.seq - self.base.seq, None)]

    def spoke_since(self, user_id: UserId, seq: int) -> bool:
        """Tell whether this user has spoken or gone after `seq`, or may have before the tail."""
        if seq < self.base.seq:
            return True
        for event, _ in reversed(self.events):
            if event.seq <= seq:
                return False
            if isinstance(event, Posted):
                if event.message.user_id == user_id:
                    return True
            elif isinstance(event, RosterChanged):
                if any(departed.user_id == user_id for departed in event.left):
                    return True
            elif isinstance(event, Moderated):
                if event.user_id == user_id and event.removed:
                    return True
        return False
