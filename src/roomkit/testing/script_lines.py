"""How a script shows an effect: one line, and an indented line for each message, person or fact.

Compact and stable. Links are numbered L1, L2, ... as they first appear, times count from the start
of the script, and a field with an ordinary value (its default, or what nearly always stands there)
is left out. Events go by the name of their protocol-2 frame, store effects by the store's call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import cast

import msgspec
from msgspec import NODEFAULT, Struct

from roomkit.core import effects, events, facts, signals, storage
from roomkit.core.effects import Append, Broadcast, Close, Deliver, Effect, SaveRoom, SendToNodes
from roomkit.core.policy import Action
from roomkit.ids import Position
from roomkit.limits import Limits

__all__ = ["HOUSEKEEPING", "Lines", "kind"]

HOUSEKEEPING = (effects.Renew, effects.FindLapsed, effects.ReadTips)
"""What a node asks of its store again and again, whatever happens."""

_NAMES: dict[type, str] = {
    events.Posted: "new_message",
    events.RosterChanged: "roster_changed",
    events.Moderated: "user_moderated",
    events.Advanced: "room_advanced",
    events.Welcomed: "welcome",
    events.Acked: "ack",
    events.Failure: "error",
    events.RoomJoined: "room_joined",
    events.RoomLeft: "room_left",
    events.GapTold: "room_gap",
    events.RosterListed: "room_users",
    events.HistoryListed: "message_history",
    events.Pinged: "ping",
    events.Ponged: "pong",
    events.ReconnectAdvised: "reconnect",
    events.TypingStarted: "user_typing",
    events.TypingStopped: "user_stopped_typing",
    events.OccupancyCounted: "occupancy",
    events.SignalSent: "signal",
    effects.LoadRoom: "load",
    effects.ReadLog: "read",
    effects.SaveRoom: "save",
    effects.PageMessages: "page",
    effects.ReadTips: "tips",
    effects.SendToNodes: "tell_nodes",
    effects.FindLapsed: "lapsed",
    facts.RosterSwitched: "roster",
}

_SINGULAR = {
    "messages": "message",
    "occupants": "occupant",
    "arrivals": "arrival",
    "departures": "departure",
}
_UNTOLD = (Action.CREATE, Action.JOIN, Action.MODERATE)
_EVERYTHING = tuple(action for action in Action if action not in _UNTOLD)
_TIMES = {"at", "deleted", "edited", "since", "server_time"}
_LINKS = {"link", "prev", "fence"}
_FIRST = ("connection", "room", "node", "code", "action")
_LINK = re.compile(r"[0-9a-f]{16}")
_PLAIN = re.compile(r"[^\s\"'\[\]{},=]+")


def kind(value: object) -> str:
    """Return what a script calls an effect, an event or a fact: `room_joined`, `append`."""
    name = type(value).__name__
    return _NAMES.get(type(value)) or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Lines:
    """Turns effects into lines; remembers which links have been seen.

    Args:
        limits: ordinary values are taken from them.
        start: what the wall clock showed when the script began.
    """

    def __init__(self, limits: Limits, start: int) -> None:
        self._start = start
        self._links: dict[str, str] = {}
        expires = limits.typing_expiry_ms
        self._ordinary: dict[type, Mapping[str, object]] = {
            events.RoomJoined: {
                "can": _EVERYTHING,
                "recovered": None,
                "typing": (),
                "typing_total": 0,
                "typing_expires_ms": expires,
            },
            events.RosterChanged: {"shown": True},
            events.TypingStarted: {"expires_ms": expires},
            events.TypingStopped: {"users": (), "total": 0, "expires_ms": expires},
            events.RosterListed: {"occupants": (), "truncated": False},
            events.HistoryListed: {
                "messages": (),
                "has_before": False,
                "has_after": False,
                "complete": True,
            },
            events.Welcomed: {"resumed": False},
            events.OccupantView: {"sessions": 1},
            events.ReconnectAdvised: {"after_ms": 0},
            effects.ReadLog: {"limit": limits.replay_entries},
            effects.Append: {"fence": "", "control": False},
            storage.Snapshot: {"format": 1},
        }

    @property
    def links(self) -> Mapping[str, str]:
        """The links seen so far, by the name the script gives them."""
        return {name: link for link, name in self._links.items()}

    def effect(self, effect: Effect, audience: Iterable[str]) -> str:
        """Return the lines that show an effect.

        Args:
            audience: for a `Broadcast`, the connections (and `watchers`) it reaches.
        """
        shown = self._effect(effect, audience)
        return _LINK.sub(lambda found: self._links.get(found[0], found[0]), shown)

    def _effect(self, effect: Effect, audience: Iterable[str]) -> str:
        match effect:
            case Deliver(connection, event):
                return f"{connection} <- {self._say(event)}"
            case effects.Answer(request, event):
                return f"host #{request} <- {self._say(event)}"
            case Broadcast(_, event):
                return f"[{' '.join(audience)}] <- {self._say(event)}"
            case Append(room, nonce, fence, items, control):
                head = f"append {room} #{nonce.counter}"
                head += f" fence={self._link(fence)}" if fence else ""
                head += " control" if control else ""
                told = [self._fact(item) for item in items]
                return "\n".join([head, *_indented(told)])
            case SaveRoom(room, snapshot, rows):
                position = self._show(snapshot.position)
                return f"save {room} {position} messages={self._show([row.seq for row in rows])}"
            case SendToNodes(room, payload):
                signal = signals.decode(payload)
                assert signal is not None, "this version encoded it"
                return f"tell_nodes {room} {self._say(signal)}"
            case Close(connection, code, reason):
                return f"close {connection} {int(code)} {code.name.lower()} {_quoted(reason)}"
            case _:
                return self._say(effect)

    def time(self, wall: int) -> str:
        """Return a wall clock reading as seconds since the start: +1.5s."""
        return f"{(wall - self._start) / 1000:+g}s"

    def _fact(self, item: effects.FactItem) -> str:
        fact = facts.decode(item.fact)
        assert fact is not None, "this version encoded it"
        return self._say(fact)

    def _say(self, value: Struct) -> str:
        """Return the name of a struct, its fields, and a line for each item of its lists."""
        words, below = self._fields(value)
        return "\n".join([" ".join([kind(value), *words]), *_indented(below)])

    def _fields(self, value: Struct) -> tuple[list[str], list[str]]:
        fields = dict(self._telling(value))
        words = [self._show(fields.pop(name)) for name in _FIRST if name in fields]
        if "seq" in fields and "link" in fields:
            words.append(f"{fields.pop('seq')}-{self._link(str(fields.pop('link')))}")
        if "position" in fields:
            words.append(self._show(fields.pop("position")))
        words += _person(fields)
        if isinstance(text := fields.pop("text", None), str):
            words.append(_quoted(text))
        below: list[str] = []
        for name, field in fields.items():
            items = _structs(field)
            if isinstance(field, events.Message | events.User):
                words += self._fields(field)[0]
            elif items:
                heading = _SINGULAR.get(name, name)
                below += [" ".join([heading, *self._fields(item)[0]]) for item in items]
            else:
                words.append(f"{name}={self._value(name, field)}")
        return words, below

    def _telling(self, value: Struct) -> Iterator[tuple[str, object]]:
        """Yield the fields with a value worth showing."""
        ordinary = self._ordinary.get(type(value), {})
        for info in msgspec.structs.fields(value):
            field = getattr(value, info.name)
            usual = ordinary.get(info.name, info.default)
            if usual is NODEFAULT and info.default_factory is not NODEFAULT:
                usual = info.default_factory()
            unsaid = info.name in ("ref", "room") and field in (None, "")
            if not unsaid and (usual is NODEFAULT or field != usual):
                yield info.name, field

    def _value(self, name: str, value: object) -> str:
        stamp = name in _TIMES or (name == "t" and isinstance(value, int) and value >= self._start)
        if stamp and isinstance(value, int):
            return self.time(value)
        if name in _LINKS and isinstance(value, str):
            return self._link(value)
        return self._show(value)

    def _show(self, value: object) -> str:
        match value:
            case Position(seq, link):
                return f"{seq}-{self._link(link)}" if link else str(seq)
            case storage.Before(seq) if seq == 2**53:
                return "newest"
            case Struct():
                words, _ = self._fields(value)
                return " ".join([kind(value), *words])
            case Enum(value=inner):
                return str(inner)
            case list() | tuple():
                items = cast("Sequence[object]", value)
                return f"[{' '.join(self._show(item) for item in items)}]"
            case str():
                return value if _PLAIN.fullmatch(value) else _quoted(value)
            case _:
                return msgspec.json.encode(value).decode()

    def _link(self, link: str) -> str:
        return self._links.setdefault(link, f"L{len(self._links) + 1}")


def _structs(value: object) -> list[Struct]:
    """Return the structs in a list; nothing for what is no list."""
    items = cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
    return [item for item in items if isinstance(item, Struct)]


def _person(fields: dict[str, object]) -> list[str]:
    """Take a user out of the fields: by name, and by id too if it is not the name's own."""
    user_id, username = fields.pop("user_id", None), fields.pop("username", None)
    if user_id is None or username is None:
        return [str(given) for given in (user_id, username) if given is not None]
    shown = _quoted(str(username)) if not _PLAIN.fullmatch(str(username)) else str(username)
    return [shown] if user_id == f"u-{username}" else [f"{shown}/{user_id}"]


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for block in lines for line in block.splitlines()]
