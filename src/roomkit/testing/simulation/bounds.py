"""How long after all trouble a service may take to agree: numbers made of its limits, and checked.

Each counts from the moment from which nothing goes wrong any more. The last of them, that every
client shows the room as it is and every roster lists who is there, is `agreed_ms`.
"""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.ids import Position, RoomId
from roomkit.limits import Limits
from roomkit.testing.laws import LawBroken
from roomkit.testing.laws.truth import Truth
from roomkit.testing.lives.rest import rest_ms
from roomkit.testing.simulation.seat import Seat
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.simulation.wire import Wire
from roomkit.testing.world import Node

__all__ = ["Bounds", "agreed_ms", "caught_up_ms", "mourned_ms", "noticed_ms"]

_CALLS_MS = 200
"""A few store calls and frames one after the other: 1 ms a call, 40 ms a frame."""


def caught_up_ms(limits: Limits) -> int:
    """Every node and every client whose connection holds has what the log had: one look at tips."""
    return limits.tips_idle_ms + limits.tips_ms + limits.retry_cap_ms + _CALLS_MS


def mourned_ms(limits: Limits) -> int:
    """No roster lists a session of a node that is dead: its lease lapses, another looks, writes."""
    return limits.lease_ms + 2 * limits.lease_renew_ms + limits.retry_cap_ms + _CALLS_MS


def noticed_ms(limits: Limits) -> int:
    """Both ends of every dead connection know, and every command is answered or given up."""
    return limits.heartbeat_ms + limits.pong_ms + limits.unanswered_ms


def agreed_ms(limits: Limits) -> int:
    """Everything agrees with everything, and messages are sent, or given up visibly."""
    return noticed_ms(limits) + rest_ms(limits)


class Bounds:
    """Holds a service to them. To be made when all trouble is over."""

    def __init__(
        self, truth: Truth, tally: Tally, nodes: Sequence[Node], seats: Sequence[Seat]
    ) -> None:
        self._truth = truth
        self._tally = tally
        self._tips = {room: log[-1].entry.position for room, log in truth.logs.items() if log}
        self._lagging = sum(
            not self._has(room, _tip(node, room)) for node in nodes for room in self._tips
        )
        self._joined: list[tuple[Seat, Wire, RoomId]] = [
            (seat, seat.wire, RoomId(name))
            for seat in seats
            if seat.wire is not None and not seat.wire.dead
            for name, room in seat.machine.view.rooms.items()
            if room.state == "joined" and name in self._tips
        ]
        self._dying = sum(bool(self._dead(room, nodes)) for room in self._tips)

    def caught_up(self, nodes: Sequence[Node]) -> None:
        """`caught_up_ms` are over.

        Raises:
            LawBroken: a node or a client lacks something (law 4).
        """
        for node in nodes:
            for room in self._tips:
                self._hold(node.name, room, _tip(node, room))
        for seat, wire, room in self._joined:
            view = seat.machine.view.rooms.get(room)
            if seat.wire is wire and view is not None and view.state == "joined":
                self._hold(seat.name, room, view.position)
        self._tally.seen("caught up", self._lagging)

    def mourned(self, nodes: Sequence[Node]) -> None:
        """`mourned_ms` are over.

        Raises:
            LawBroken: a roster lists who is with a dead node (law 9).
        """
        for room in self._tips:
            dead = self._dead(room, nodes)
            if dead:
                raise LawBroken(9, f"{room!r} lists sessions of {dead}, too long after their death")
        self._tally.seen("mourned", self._dying)

    def _hold(self, name: str, room: RoomId, position: Position | None) -> None:
        if not self._has(room, position):
            raise LawBroken(
                4, f"{name} is at {position} of {room!r} too long after {self._tips[room]}"
            )

    def _has(self, room: RoomId, position: Position | None) -> bool:
        """Tell whether somebody at a position has what the room's log had."""
        if position is None or position.seq < self._tips[room].seq:
            return False
        return not self._truth.forked(room, position)

    def _dead(self, room: RoomId, nodes: Sequence[Node]) -> set[str]:
        tip = self._truth.tip(room)
        return tip.nodes() - {str(node.engine.node) for node in nodes}


def _tip(node: Node, room: RoomId) -> Position | None:
    """Return how far a node has folded a room, if it serves it."""
    served = node.engine.state.rooms.get(room)
    return served.room.tip if served is not None and served.room is not None else None
