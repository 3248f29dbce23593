"""The dumb model: what a room must be, and what must be told, after each entry of its log.

Written from the protocol page alone and in the plainest words: facts are taken apart as plain
MessagePack, every entry copies the whole roster, and what changed is found by comparing the copies.
Slow, and meant to be checked by reading. Tests compare everything the engine shows with it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

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
from roomkit.core.storage import Entry
from roomkit.ids import RoomId, UserId

__all__ = ["ModelOccupant", "ModelRoom", "comparable"]

Fact: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class ModelOccupant:
    """A user in the room; `sessions` are (session, node), in the order in which they came."""

    username: str
    since: int
    meta: dict[str, object] | None
    sessions: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        return _key(self.username)


@dataclass(frozen=True)
class ModelRoom:
    """A room after an entry. Never changed: `after` returns the next.

    Attributes:
        roster: occupants in the order in which they came; empty while `shown` is false.
        spoke: the newest seq at which each user posted, left or was put out.
    """

    name: RoomId
    seq: int = 0
    link: str = ""
    fence: str = ""
    shown: bool = True
    roster: dict[str, ModelOccupant] = field(default_factory=dict[str, ModelOccupant])
    messages: tuple[Message, ...] = ()
    spoke: dict[str, int] = field(default_factory=dict[str, int])

    def after(self, entry: Entry) -> tuple[ModelRoom, EntryEvent]:
        """Return the room after this entry, and the one event everybody in it is told."""
        fact: Fact = msgspec.msgpack.decode(entry.fact)
        kind = fact["type"]
        shown, roster, messages = self.shown, dict(self.roster), self.messages
        reasons: dict[str, str] = {}
        if kind == "posted":
            messages = (*messages, _message(entry, fact))
        elif kind in ("edited", "deleted"):
            new = _revised(entry, fact)
            messages = tuple(new if one.seq == new.seq else one for one in messages)
        elif kind == "entered" and shown:
            roster = _entered(roster, entry, fact, reasons)
        elif kind == "left":
            for departure in fact["departures"]:
                user, session = departure["user_id"], departure["session"]
                before, roster = roster, _without(roster, [(session, fact["node"])], only=user)
                if user in before and user not in roster:
                    reasons[user] = departure["reason"]
        elif kind == "node_lost":
            roster = _without(roster, _sessions_at(roster, {fact["node"]}, reasons, "node_lost"))
        elif kind == "roster" and fact["shown"] != shown:
            shown, roster = fact["shown"], {}
        elif kind == "moderated" and fact["action"] == "kick":
            roster.pop(fact["user_id"], None)
        event = self._event(entry, fact, shown, roster, reasons)
        fence = entry.link if entry.control else self.fence
        gone_users = [user for user in self.roster if user not in roster and shown == self.shown]
        spoke = self.spoke | dict.fromkeys(gone_users, entry.seq)
        if kind == "posted":
            spoke[fact["user_id"]] = entry.seq
        room = ModelRoom(self.name, entry.seq, entry.link, fence, shown, roster, messages, spoke)
        return room, event

    def views(self) -> dict[UserId, OccupantView]:
        """Return the roster as clients see it."""
        return {
            UserId(user): OccupantView(
                UserId(user), one.username, len(one.sessions), one.since, one.meta
            )
            for user, one in self.roster.items()
        }

    def sessions_at(self, node: str) -> set[str]:
        """Return the sessions the roster has at a node."""
        return {
            session
            for occupant in self.roster.values()
            for session, at in occupant.sessions
            if at == node
        }

    def nodes(self) -> set[str]:
        """Return the nodes the roster names."""
        return {at for occupant in self.roster.values() for _, at in occupant.sessions}

    def _event(
        self,
        entry: Entry,
        fact: Fact,
        shown: bool,
        roster: dict[str, ModelOccupant],
        reasons: dict[str, str],
    ) -> EntryEvent:
        place = (self.name, entry.seq, entry.link)
        if fact["type"] == "posted":
            return Posted(self.name, _message(entry, fact))
        if fact["type"] == "edited":
            return MessageEdited(*place, entry.at, _revised(entry, fact), fact["by"])
        if fact["type"] == "deleted":
            gone = _revised(entry, fact)
            return MessageDeleted(*place, entry.at, gone, fact["by"], fact["reason"])
        if fact["type"] == "moderated":
            user = UserId(fact["user_id"])
            return Moderated(
                *place,
                entry.at,
                fact["action"],
                user,
                fact["username"],
                fact["by"],
                fact.get("reason"),
                removed=fact["action"] == "kick" and user in self.roster,
            )
        if shown != self.shown:
            return RosterChanged(*place, entry.at, shown, switched=True)
        after = ModelRoom(self.name, roster=roster).views()
        joined = tuple(view for user, view in after.items() if user not in self.roster)
        left = tuple(
            Departed(UserId(user), one.username, reasons[user])
            for user, one in self.roster.items()
            if user not in roster
        )
        changed = tuple(
            OccupantChanged(UserId(user), len(one.sessions))
            for user, one in roster.items()
            if user in self.roster and _tabs(one) != _tabs(self.roster[user])
        )
        if not (joined or left or changed):
            return Advanced(*place)
        stated = fact["type"] == "entered" and fact.get("all", False)
        return RosterChanged(*place, entry.at, shown, joined, left, changed, stated=stated)


@lru_cache(maxsize=1_024)
def _key(username: str) -> str:
    folded = unicodedata.normalize("NFKC", username).casefold()
    return unicodedata.normalize("NFKC", folded)


def comparable(event: EntryEvent) -> EntryEvent:
    """Return the event with its users in an order of their own: which order does not matter."""
    if not isinstance(event, RosterChanged):
        return event
    return msgspec.structs.replace(
        event,
        joined=tuple(sorted(event.joined, key=lambda one: one.user_id)),
        left=tuple(sorted(event.left, key=lambda one: one.user_id)),
        changed=tuple(sorted(event.changed, key=lambda one: one.user_id)),
    )


def _message(entry: Entry, fact: Fact) -> Message:
    return Message(
        entry.seq,
        entry.link,
        entry.at,
        fact["user_id"],
        fact["username"],
        fact["text"],
        fact.get("system", False),
        fact.get("idempotency_key"),
        fact.get("reply_to"),
        fact.get("meta"),
    )


def _revised(entry: Entry, fact: Fact) -> Message:
    """Return the message an edit or a delete leaves, dated by the entry."""
    message = msgspec.convert(fact["message"], Message)
    stamp = {fact["type"]: entry.at}
    return msgspec.structs.replace(message, **stamp)


def _entered(
    roster: dict[str, ModelOccupant], entry: Entry, fact: Fact, reasons: dict[str, str]
) -> dict[str, ModelOccupant]:
    """Everybody listed comes in, but for who would take another's name; then the unlisted go."""
    stated, node = fact.get("all", False), fact["node"]
    for arrival in fact["arrivals"]:
        user, session = arrival["user_id"], arrival["session"]
        present = roster.get(user)
        if present is None:
            since = entry.at - arrival.get("ago_ms", 0)
            sessions = ((session, node),)
            coming = ModelOccupant(arrival["username"], since, arrival.get("meta"), sessions)
            taken = any(other.key == coming.key for other in roster.values())
            if taken and not stated:
                continue
            roster = {**roster, user: coming}
        else:
            tabs = {**dict(present.sessions), session: node}
            moved = ModelOccupant(
                present.username, present.since, present.meta, tuple(tabs.items())
            )
            roster = {**roster, user: moved}
    if stated:
        listed = {arrival["session"] for arrival in fact["arrivals"]}
        nodes = {node, fact.get("former") or node}
        at_nodes = _sessions_at(roster, nodes, reasons, "restated")
        roster = _without(roster, [one for one in at_nodes if one[0] not in listed])
    return roster


def _sessions_at(
    roster: dict[str, ModelOccupant], nodes: set[str], reasons: dict[str, str], reason: str
) -> list[tuple[str, str]]:
    """Return every session at these nodes, noting why its user would be gone."""
    reasons.update(dict.fromkeys(roster, reason))
    return [
        (session, at)
        for occupant in roster.values()
        for session, at in occupant.sessions
        if at in nodes
    ]


def _without(
    roster: dict[str, ModelOccupant], gone: list[tuple[str, str]], only: str | None = None
) -> dict[str, ModelOccupant]:
    """Return the roster without these sessions at these nodes, and without users who have none."""
    left: dict[str, ModelOccupant] = {}
    for user, one in roster.items():
        if only not in (None, user):
            left[user] = one
            continue
        sessions = tuple(session for session in one.sessions if session not in gone)
        if sessions:
            left[user] = ModelOccupant(one.username, one.since, one.meta, sessions)
    return left


def _tabs(occupant: ModelOccupant) -> set[str]:
    return {session for session, _ in occupant.sessions}
