"""Laws 13 and 16, in the log: whose command comes first, and what a control fact forbids later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from roomkit.core.commands import EditMessage, JoinRoom, LeaveRoom, SendMessage
from roomkit.core.effects import Append, Effect
from roomkit.core.events import Message, MessageDeleted, MessageEdited, Moderated, Posted
from roomkit.core.inputs import Input, Received
from roomkit.core.storage import Outcome
from roomkit.ids import ConnectionId, RoomId
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.laws.truth import Told, Truth
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Order"]


@dataclass
class _Line:
    """What one connection sent to one room: when each message and leave was, how far the log is.

    Attributes:
        leaves: the places of leaves not seen in the log yet.
        logged: the place of the newest of its commands in the log.
    """

    session: str
    node: str
    sent: int = 0
    leaves: list[int] = field(default_factory=list[int])
    logged: int = 0


class Order(Observer):
    """Follows each connection's commands into the log, and the log past each control fact.

    It needs messages whose texts are all different, but for the same message sent again.

    Attributes:
        followed: messages and edits found in the log that a connection sent.
    """

    stepping_kinds = frozenset({Received})
    stepped_kinds = frozenset({Append})

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._lines: dict[tuple[ConnectionId, RoomId], _Line] = {}
        self._said: dict[tuple[RoomId, str], list[tuple[ConnectionId, _Line, int]]] = {}
        self.followed = 0
        self._lost: dict[RoomId, dict[str, int]] = {}
        self._put_out: dict[RoomId, set[str]] = {}

    def stepping(self, node: Node, input: Input) -> None:
        if type(input) is not Received:
            return
        connection, command = node.engine.state.connections.get(input.connection), input.command
        if connection is None or connection.session is None:
            return
        if not isinstance(command, (SendMessage, EditMessage, LeaveRoom, JoinRoom)):
            return
        newest = connection.headings[-1].command if connection.headings else None
        heading = newest.room if type(newest) is JoinRoom else None
        wanted = command.room or heading or connection.current
        if wanted is None:
            return
        key = (input.connection, RoomId(wanted))
        line = self._lines.setdefault(key, _Line(connection.session.id, node.name))
        line.sent += 1
        if isinstance(command, (SendMessage, EditMessage)):
            said = self._said.setdefault((RoomId(wanted), command.message), [])
            said.append((input.connection, line, line.sent))
        elif type(command) is LeaveRoom:
            line.leaves.append(line.sent)

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        for told in self._truth.news:
            fact: dict[str, Any] = msgspec.msgpack.decode(told.entry.fact)
            self._follow_commands(node, append.room, told, fact)
            self._follow_controls(append, told, fact)

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if type(effect) is Append:
                served = node.engine.state.rooms[effect.room]
                if served.room is not None and effect.fence != served.room.fence:
                    if served.batch is not None and served.batch.fence == effect.fence:
                        continue
                    raise LawBroken(16, f"{node.name} writes under {effect.fence!r}, not its fence")

    def fail_over(self) -> None:
        """Who was lost or put out may never have been; what was logged last may be logged again."""
        self._lost.clear()
        self._put_out.clear()
        for line in self._lines.values():
            line.logged = 0

    def _follow_commands(self, node: Node, room: RoomId, told: Told, fact: dict[str, Any]) -> None:
        """A client that came back at another node may have said the same again there, and left."""
        if fact["type"] == "left":
            left = {one["session"] for one in fact["departures"] if one["reason"] == "left"}
            for (_, name), line in self._lines.items():
                here = name == room and line.node == node.name
                if here and line.session in left and line.leaves:
                    line.logged = max(line.logged, line.leaves.pop(0))
            return
        if not isinstance(told.event, (Posted, MessageEdited)):
            return
        text = told.event.message.text
        said = [one for one in self._said.get((room, text), []) if one[1].node == node.name]
        for _, line, place in said:
            if place > line.logged:
                line.logged = place
                self.followed += 1
                return
        for connection, line, place in said[:1]:
            raise LawBroken(
                13, f"{connection} sent {text!r} as {place}; {line.logged} is in the log before"
            )

    def _follow_controls(self, append: Append, told: Told, fact: dict[str, Any]) -> None:
        room = append.room
        lost, put_out = self._lost.setdefault(room, {}), self._put_out.setdefault(room, set())
        kind, before, seq = fact["type"], self._before(room, told), told.entry.seq
        by = fact["node"] if kind in ("entered", "left") else None
        if by in lost and self._judged_after(append, lost[by]):
            del lost[by]  # it has folded that it was lost, and goes on
        if by in lost:
            raise LawBroken(16, f"seq {seq} of {room!r} is by {by}, which was lost before")
        if kind in ("entered", "left") and not before:
            raise LawBroken(16, f"seq {seq} of {room!r} is {kind}, with the roster off")
        if kind == "node_lost":
            lost[fact["node"]] = seq
        elif kind == "roster":
            put_out.clear()
        elif kind == "entered":
            put_out -= {arrival["user_id"] for arrival in fact["arrivals"]}
        if type(told.event) is Moderated and told.event.removed:
            put_out.add(told.event.user_id)
        elif isinstance(told.event, (MessageEdited, MessageDeleted)):
            self._follow_revision(room, told, told.event.message)
        elif type(told.event) is Posted and told.event.message.user_id in put_out:
            raise LawBroken(16, f"seq {seq} of {room!r} is by somebody put out before")

    def _follow_revision(self, room: RoomId, told: Told, new: Message) -> None:
        """Each version follows the one before, and nothing follows a tombstone."""
        before = self._truth.logs[room][told.entry.seq - 2].room
        old = next((one for one in before.messages if one.seq == new.seq), None)
        if old is None or old.link != new.link:
            raise LawBroken(16, f"seq {told.entry.seq} of {room!r} revises {new}: there is none")
        if old.deleted is not None or new.version != old.version + 1:
            raise LawBroken(16, f"seq {told.entry.seq} of {room!r} makes {new} of {old}")

    def _judged_after(self, append: Append, seq: int) -> bool:
        """Tell whether an append was judged by who had folded the control fact at a seq."""
        fence = self._truth.told(append.room, append.fence)
        return fence is not None and fence.entry.seq >= seq

    def _before(self, room: RoomId, told: Told) -> bool:
        """Tell whether the roster was shown before an entry."""
        log = self._truth.logs[room]
        return told.entry.seq == 1 or log[told.entry.seq - 2].room.shown
