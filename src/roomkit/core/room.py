"""The fold: a room's state, and how one entry changes it. Everything that changes a room is here.

`Room.apply` takes the next entry and returns the one event it means; the same entries give the same
state and events on every node. This file must not know which node it runs on, who is connected, or
what time it is now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import msgspec

from roomkit.core import facts
from roomkit.core.commands import Meta
from roomkit.core.events import (
    Advanced,
    Departed,
    EntryEvent,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
    OccupantChanged,
    OccupantView,
    Posted,
    RosterChanged,
)
from roomkit.core.names import name_key
from roomkit.core.storage import Entry, Snapshot
from roomkit.ids import ORIGIN, NodeId, Position, RoomId, SessionId, UserId

__all__ = ["FORMAT", "Occupant", "Room"]

FORMAT = 1
"""Version of the snapshot's form; a node never reads a newer one, nor saves over it."""


class Occupant(msgspec.Struct):
    """A user in the room.

    Attributes:
        key: `name_key` of the username.
        since: ms since the Unix epoch.
        sessions: which node holds each.
    """

    user_id: UserId
    username: str
    key: str
    since: int
    meta: Meta | None
    sessions: dict[SessionId, NodeId]

    def view(self) -> OccupantView:
        return OccupantView(self.user_id, self.username, len(self.sessions), self.since, self.meta)


class _RoomState(msgspec.Struct):
    """What a snapshot holds. `posted` counts messages ever posted."""

    fence: str
    shown: bool
    posted: int
    roster: list[Occupant]


@dataclass(slots=True)
class Room:
    """A room as folded up to `tip`.

    Attributes:
        fence: link of the last control entry, "" if there was none.
        shown: whether the roster is in the log.
        posted: messages ever posted.
        roster: occupants by user; empty while the roster is off.
        names: who holds which name, by `name_key`; the first holder wins.
    """

    name: RoomId
    tip: Position = ORIGIN
    fence: str = ""
    shown: bool = True
    posted: int = 0
    roster: dict[UserId, Occupant] = field(default_factory=dict[UserId, Occupant])
    names: dict[str, UserId] = field(default_factory=dict[str, UserId])

    def apply(self, entry: Entry, fact: facts.Fact | None) -> EntryEvent:
        """Fold the entry after `tip` and return its event. `fact` is None for an unknown kind."""
        self.tip = Position(entry.seq, entry.link)
        if entry.control:
            self.fence = entry.link
        fold = self._folds.get(type(fact))
        event = fold(self, entry, fact) if fold is not None else None
        return event if event is not None else Advanced(self.name, entry.seq, entry.link)

    def snapshot(self) -> Snapshot:
        """Return the state at `tip`, as the store keeps it."""
        state = _RoomState(self.fence, self.shown, self.posted, list(self.roster.values()))
        return Snapshot(self.tip, FORMAT, msgspec.msgpack.encode(state))

    @classmethod
    def restore(cls, name: RoomId, snapshot: Snapshot) -> Room:
        """Return the room a snapshot holds.

        Raises:
            ValueError: the snapshot was written in a newer format.
        """
        if snapshot.format > FORMAT:
            raise ValueError(
                f"room {name!r} was saved in format {snapshot.format}; this version reads up to "
                f"{FORMAT}: run the newer roomkit"
            )
        state = msgspec.msgpack.decode(snapshot.state, type=_RoomState)
        room = cls(name, snapshot.position, state.fence, state.shown, state.posted)
        for occupant in state.roster:
            room.roster[occupant.user_id] = occupant
            room.names.setdefault(occupant.key, occupant.user_id)
        return room

    def holds(self, user_id: UserId, session: SessionId, node: NodeId) -> bool:
        """Tell whether the roster has this session, at this node."""
        occupant = self.roster.get(user_id)
        return occupant is not None and occupant.sessions.get(session) == node

    def holder(self, username: str) -> UserId | None:
        """Return who is in the room under this name."""
        return self.names.get(name_key(username))

    def nodes(self) -> set[NodeId]:
        """Return the nodes the roster's sessions are at."""
        return {node for occupant in self.roster.values() for node in occupant.sessions.values()}

    # Folds, one per kind of fact.

    def _posted(self, entry: Entry, fact: facts.Posted) -> EntryEvent:
        self.posted += 1
        return Posted(
            self.name,
            Message(
                entry.seq,
                entry.link,
                entry.at,
                fact.user_id,
                fact.username,
                fact.text,
                fact.system,
                fact.idempotency_key,
                fact.reply_to,
                fact.meta,
            ),
        )

    def _edited(self, entry: Entry, fact: facts.Edited) -> EntryEvent:
        message = msgspec.structs.replace(fact.message, edited=entry.at)
        return MessageEdited(self.name, entry.seq, entry.link, entry.at, message, fact.by)

    def _deleted(self, entry: Entry, fact: facts.Deleted) -> EntryEvent:
        message = msgspec.structs.replace(fact.message, deleted=entry.at)
        place = (self.name, entry.seq, entry.link, entry.at)
        return MessageDeleted(*place, message, fact.by, fact.reason)

    def _entered(self, entry: Entry, fact: facts.Entered) -> EntryEvent | None:
        if not self.shown:
            return None
        diff = _Diff()
        listed = {arrival.session for arrival in fact.arrivals}
        for arrival in fact.arrivals:
            self._enter(arrival, entry.at, fact, diff)
        if fact.all:
            nodes = {fact.node} if fact.former is None else {fact.node, fact.former}
            for occupant in list(self.roster.values()):
                for session, node in list(occupant.sessions.items()):
                    if node in nodes and session not in listed:
                        self._remove(occupant, session, "restated", diff)
        return self._changed(entry, diff, stated=fact.all)

    def _enter(self, arrival: facts.Arrival, at: int, fact: facts.Entered, diff: _Diff) -> None:
        occupant = self.roster.get(arrival.user_id)
        if occupant is not None:
            if arrival.session not in occupant.sessions:
                diff.changed[arrival.user_id] = None
            occupant.sessions[arrival.session] = fact.node
            return
        key = name_key(arrival.username)
        if key in self.names and not fact.all:
            return
        self.names.setdefault(key, arrival.user_id)
        self.roster[arrival.user_id] = Occupant(
            arrival.user_id,
            arrival.username,
            key,
            at - arrival.ago_ms,
            arrival.meta,
            {arrival.session: fact.node},
        )
        diff.joined[arrival.user_id] = None

    def _left(self, entry: Entry, fact: facts.Left) -> EntryEvent | None:
        diff = _Diff()
        for departure in fact.departures:
            if self.holds(departure.user_id, departure.session, fact.node):
                occupant = self.roster[departure.user_id]
                self._remove(occupant, departure.session, departure.reason, diff)
        return self._changed(entry, diff)

    def _node_lost(self, entry: Entry, fact: facts.NodeLost) -> EntryEvent | None:
        diff = _Diff()
        for occupant in list(self.roster.values()):
            for session, node in list(occupant.sessions.items()):
                if node == fact.node:
                    self._remove(occupant, session, "node_lost", diff)
        return self._changed(entry, diff)

    def _roster_switched(self, entry: Entry, fact: facts.RosterSwitched) -> EntryEvent | None:
        if fact.shown == self.shown:
            return None
        self.shown = fact.shown
        self.roster.clear()
        self.names.clear()
        return RosterChanged(self.name, entry.seq, entry.link, entry.at, fact.shown, switched=True)

    def _moderated(self, entry: Entry, fact: facts.Moderated) -> EntryEvent:
        occupant = self.roster.pop(fact.user_id, None) if fact.action == "kick" else None
        if occupant is not None:
            self._release_name(occupant)
        return Moderated(
            self.name,
            entry.seq,
            entry.link,
            entry.at,
            fact.action,
            fact.user_id,
            fact.username,
            fact.by,
            fact.reason,
            removed=occupant is not None,
        )

    def _remove(self, occupant: Occupant, session: SessionId, reason: str, diff: _Diff) -> None:
        del occupant.sessions[session]
        if occupant.sessions:
            diff.changed[occupant.user_id] = None
            return
        del self.roster[occupant.user_id]
        self._release_name(occupant)
        diff.changed.pop(occupant.user_id, None)
        if occupant.user_id in diff.joined:
            del diff.joined[occupant.user_id]
        else:
            diff.left[occupant.user_id] = Departed(occupant.user_id, occupant.username, reason)

    def _release_name(self, occupant: Occupant) -> None:
        """Free a name; of twins brought by restatements, the one who stays takes it over."""
        if self.names.get(occupant.key) != occupant.user_id:
            return
        del self.names[occupant.key]
        for other in self.roster.values():
            if other.key == occupant.key:
                self.names[occupant.key] = other.user_id
                return

    def _changed(self, entry: Entry, diff: _Diff, *, stated: bool = False) -> RosterChanged | None:
        if not (diff.joined or diff.left or diff.changed):
            return None
        return RosterChanged(
            self.name,
            entry.seq,
            entry.link,
            entry.at,
            self.shown,
            joined=tuple(self.roster[user_id].view() for user_id in diff.joined),
            left=tuple(diff.left.values()),
            changed=tuple(
                OccupantChanged(user_id, len(self.roster[user_id].sessions))
                for user_id in diff.changed
                if user_id not in diff.joined
            ),
            stated=stated,
        )

    _folds: ClassVar[dict[type, Callable[..., EntryEvent | None]]] = {
        facts.Posted: _posted,
        facts.Edited: _edited,
        facts.Deleted: _deleted,
        facts.Entered: _entered,
        facts.Left: _left,
        facts.NodeLost: _node_lost,
        facts.RosterSwitched: _roster_switched,
        facts.Moderated: _moderated,
    }


@dataclass(slots=True)
class _Diff:
    """What one entry did to the roster, users in the order in which it came up."""

    joined: dict[UserId, None] = field(default_factory=dict[UserId, None])
    left: dict[UserId, Departed] = field(default_factory=dict[UserId, Departed])
    changed: dict[UserId, None] = field(default_factory=dict[UserId, None])
