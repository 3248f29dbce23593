"""Events, commands, facts and inputs in a few words each, for somebody who is looking for a fault.

What has no words here is told by its name, so that a newer engine can be explained too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from roomkit.core import commands, events, facts, inputs, state, storage

__all__ = ["KINDS", "Who", "command", "event", "fact", "given", "kind", "outcome"]

Who = Callable[[str], str]
"""Returns the name of the user of a connection, a session or a user id."""

_LONGEST = 60

KINDS: dict[type, str] = {
    events.Posted: "message",
    events.MessageEdited: "edit",
    events.MessageDeleted: "delete",
    events.RosterChanged: "roster",
    events.RoomJoined: "joined",
    events.RoomLeft: "left",
    events.Failure: "error",
    events.Acked: "ack",
    events.GapTold: "gap",
    events.RosterListed: "users",
    events.HistoryListed: "history",
    events.TypingStarted: "typing",
    events.TypingStopped: "typing",
    events.OccupancyCounted: "occupancy",
    events.SignalSent: "signal",
}
"""What events are asked for by; others by the name of their class."""

_FED: dict[type, str] = {
    storage.Hint: "the feed said that the room has news",
    storage.StoreSignal: "another node signalled",
    storage.Interrupted: "the feed said that it may have missed something",
}


def kind(told: type) -> str:
    """Return the word by which events of a class are asked for."""
    return KINDS.get(told) or _snake(told.__name__)


def event(told: events.Event) -> str:
    """Say what an event tells."""
    match told:
        case events.Posted():
            message = told.message
            return f"{message.username}: {quoted(message.text)} (entry {message.seq})"
        case events.MessageEdited():
            what = f"message {told.message.seq} is now {quoted(told.message.text)}"
            return f"{what}, by {told.by} (entry {told.seq})"
        case events.MessageDeleted():
            what = f"message {told.message.seq} is deleted, by {told.by}"
            return f"{what}{_reason(told.reason)} (entry {told.seq})"
        case events.RosterChanged():
            return f"{_roster(told)} (entry {told.seq})"
        case events.Moderated():
            act = f"{told.action} of {told.username} by {told.by}"
            return f"{act}{_reason(told.reason)} (entry {told.seq})"
        case events.Advanced():
            return f"something nobody sees (entry {told.seq})"
        case events.RoomJoined():
            return _joined(told)
        case events.RoomLeft():
            return f"out of the room ({told.reason})"
        case events.GapTold():
            return f"the room begins anew ({told.reason})"
        case events.Failure():
            return f"refused: {told.code}, {quoted(told.message)}"
        case events.Acked():
            return "done" if told.position is None else _acked(told.position.seq, told.duplicate)
        case events.RosterListed():
            return f"the list of users: {_names(one.username for one in told.occupants)}"
        case events.HistoryListed():
            return f"a page of {_how_many(len(told.messages), 'message', 'messages')}"
        case events.TypingStarted():
            return f"{told.username} types"
        case events.TypingStopped():
            return f"{told.username} stopped typing"
        case events.OccupancyCounted():
            return _how_many(told.users, "user is there", "users are there")
        case events.SignalSent():
            return f"{told.username} signals {told.name}"
        case _:
            return _plainly(told)


def fact(proposed: object) -> str:
    """Say what a fact puts into the log."""
    match proposed:
        case facts.Posted():
            return f"{proposed.username}: {quoted(proposed.text)}"
        case facts.Edited():
            return f"message {proposed.message.seq} becomes {quoted(proposed.message.text)}"
        case facts.Deleted():
            return f"message {proposed.message.seq} is deleted{_reason(proposed.reason)}"
        case facts.Entered():
            names = _names(one.username for one in proposed.arrivals)
            return f"all of this node's occupants: {names}" if proposed.all else f"{names} enters"
        case facts.Left():
            return _how_many(len(proposed.departures), "session leaves", "sessions leave")
        case facts.Moderated():
            act = f"{proposed.action} {proposed.username}, by {proposed.by}"
            return f"{act}{_reason(proposed.reason)}"
        case facts.NodeLost():
            return f"node {proposed.node} is lost"
        case facts.RosterSwitched():
            return f"the roster goes {'on' if proposed.shown else 'off'}"
        case _:
            return _plainly(proposed)


def command(wished: object, who: Who) -> str:
    """Say what a command, or a wish of the engine's own, wants."""
    match wished:
        case commands.JoinRoom():
            since = wished.since
            return "join_room" if since is None else f"join_room, since entry {since.seq}"
        case commands.SendMessage():
            return f"send_message {quoted(wished.message)}"
        case commands.EditMessage():
            return f"edit_message {wished.id}, to {quoted(wished.message)}"
        case commands.DeleteMessage():
            return f"delete_message {wished.id}{_reason(wished.reason)}"
        case inputs.HostPost():
            return f"to post {quoted(wished.text)}"
        case inputs.HostEdit():
            return f"to edit {wished.id}, to {quoted(wished.message)}"
        case inputs.HostDelete():
            return f"to delete {wished.id}{_reason(wished.reason)}"
        case inputs.HostKick():
            by = f"by {wished.by}{_reason(wished.reason)}"
            return f"to kick {who(wished.user_id)}, {by}"
        case state.Depart():
            return f"{who(wished.session)}'s session is to leave ({wished.reason})"
        case state.LoseNode():
            return f"node {wished.node} is to be written off"
        case state.SwitchRoster():
            return f"the roster is to go {'on' if wished.shown else 'off'}"
        case state.StateOccupants():
            return "this node is to state its occupants"
        case _:
            return _snake(type(wished).__name__)


def given(taken: inputs.Input, who: Who) -> str:
    """Say what went into a step."""
    match taken:
        case inputs.Received():
            return f"{who(taken.connection)} sent {command(taken.command, who)}"
        case inputs.Garbled():
            return f"{who(taken.connection)} sent a frame that is no command"
        case inputs.Opened():
            return f"{who(taken.connection)}'s connection opened (protocol {taken.protocol})"
        case inputs.Closed():
            return f"{who(taken.connection)}'s connection closed"
        case inputs.Asked():
            return f"the host asked {command(taken.command, who)}"
        case inputs.Appended():
            return f"the store answered append {taken.nonce.counter}: {outcome(taken.outcome)}"
        case inputs.LogRead():
            return f"the store read on after entry {taken.after}: {_read(taken.log)}"
        case inputs.RoomLoaded():
            return "the store loaded the room" if taken.record else "the store failed to load it"
        case inputs.TipsRead():
            return "the store told its tips" if taken.tips is not None else "no tips were read"
        case inputs.Fed():
            return _FED.get(type(taken.item), _plainly(taken.item))
        case inputs.LapsedFound():
            return f"no live lease was found of node {', '.join(taken.lapsed) or 'none'}"
        case inputs.Drain():
            return f"the node drains: {taken.reason}"
        case inputs.Tick():
            return "time had passed"
        case _:
            return _plainly(taken)


def outcome(answered: storage.Outcome) -> str:
    """Say how an append ended."""
    match answered:
        case storage.Stored():
            seqs = [str(item.seq) for item in answered.items]
            return f"stored as entry {', '.join(seqs)}" if seqs else "stored"
        case storage.Behind():
            return "refused, this node was behind"
        case storage.Failed() | storage.Unknown():
            return f"{_plainly(answered)} ({answered.reason})"


def quoted(text: str) -> str:
    """Return a text on one line, shortened."""
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f'"{shown}"'.replace("\r", "").replace("\n", "⏎")


def _roster(told: events.RosterChanged) -> str:
    if told.switched:
        return f"the roster goes {'on' if told.shown else 'off'}"
    parts = [f"{_names(one.username for one in told.joined)} came"] if told.joined else []
    parts += [f"{one.username} left ({one.reason})" for one in told.left]
    parts += [f"{one.user_id} has {one.sessions} sessions" for one in told.changed]
    return ", ".join(parts) or "nothing changed in the roster"


def _joined(told: events.RoomJoined) -> str:
    if told.recovered:
        return f"joined; what followed entry {told.position.seq} was sent again"
    if told.recovered is None:
        return f"joined at entry {told.position.seq}"
    return f"joined anew at entry {told.position.seq}, not recovered ({told.gap_reason})"


def _acked(seq: int, duplicate: bool) -> str:
    return f"done before, as entry {seq}" if duplicate else f"done, as entry {seq}"


def _read(log: storage.LogSlice | None) -> str:
    return "it failed" if log is None else f"{_how_many(len(log.entries), 'entry', 'entries')}"


def _how_many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _reason(reason: str | None) -> str:
    return "" if reason is None else f": {reason}"


def _names(usernames: Iterable[str]) -> str:
    names = list(usernames)
    few = ", ".join(names[:5])
    return f"{few} and {len(names) - 5} others" if len(names) > 5 else few or "nobody"


def _plainly(value: object) -> str:
    return _snake(type(value).__name__).replace("_", " ")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
