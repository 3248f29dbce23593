"""The logs as the store really wrote them, and what the dumb model makes of every entry."""

from __future__ import annotations

from dataclasses import dataclass

from roomkit.core.effects import Append
from roomkit.core.events import EntryEvent, Message, MessageDeleted, MessageEdited, Posted
from roomkit.core.storage import Entry, Outcome, Stored
from roomkit.ids import Position, RoomId
from roomkit.testing.model import ModelRoom
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Told", "Truth"]


@dataclass(frozen=True)
class Told:
    """An entry, the room after it, and the event it is told as."""

    entry: Entry
    room: ModelRoom
    event: EntryEvent


class Truth(Observer):
    """Every room's whole log, whatever the store has trimmed.

    Entries are found by link: after a failover two of them can have the same seq.

    Attributes:
        news: what the last append added; nothing if it only repeated an answer.
    """

    def __init__(self) -> None:
        self.logs: dict[RoomId, list[Told]] = {}
        self.news: list[Told] = []
        self._by_link: dict[tuple[RoomId, str], Told] = {}

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        self.news = []
        if not isinstance(outcome, Stored):
            return
        log = self.logs.setdefault(append.room, [])
        for item in outcome.items:
            if isinstance(item, Entry) and item.seq > len(log):
                room, event = self.tip(append.room).after(item)
                told = Told(item, room, event)
                log.append(told)
                self.news.append(told)
                self._by_link[append.room, item.link] = told

    def tip(self, room: RoomId) -> ModelRoom:
        """Return a room as it is by its whole log."""
        log = self.logs.get(room)
        return log[-1].room if log else ModelRoom(room)

    def told(self, room: RoomId, link: str) -> Told | None:
        """Return an entry that was once in the room's log."""
        return self._by_link.get((room, link))

    def at(self, room: RoomId, link: str) -> ModelRoom | None:
        """Return a room as it was after an entry; the empty link is before the first."""
        if not link:
            return ModelRoom(room)
        told = self.told(room, link)
        return told.room if told is not None else None

    def link_at(self, room: RoomId, seq: int) -> str:
        """Return the link of the entry at a seq of the log as it is, or one that is none's."""
        log = self.logs.get(room, [])
        return log[seq - 1].entry.link if seq <= len(log) else "0" * 16

    def forms_since(self, room: RoomId, link: str, seq: int) -> list[Message]:
        """Return what the message at a seq was after the entry with this link, and became since.

        A page comes from an archive that another node may have written further on.
        """
        folded = self.at(room, link) or ModelRoom(room)
        revised = (MessageEdited, MessageDeleted, Posted)
        forms = [one for one in folded.messages if one.seq == seq]
        forms += [
            told.event.message
            for told in self.logs.get(room, [])[folded.seq :]
            if isinstance(told.event, revised) and told.event.message.seq == seq
        ]
        return forms

    def follows(self, room: RoomId, position: Position, tip: Position) -> bool:
        """Tell whether the log that ends, or ended, at `tip` has the entry at `position`."""
        told = self.told(room, tip.link)
        while told is not None and told.entry.seq > position.seq:
            told = self.told(room, told.entry.prev)
        return told is not None and told.entry.position == position

    def forked(self, room: RoomId, tip: Position) -> bool:
        """Tell whether a failover has lost what this node folded, and it does not know yet."""
        log = self.logs.get(room, [])
        return tip.seq > 0 and (tip.seq > len(log) or log[tip.seq - 1].entry.link != tip.link)

    def fail_over(self, rooms: dict[RoomId, int]) -> None:
        """Forget what a failover lost: all entries above these seqs."""
        for room, log in self.logs.items():
            del log[rooms.get(room, 0) :]
