"""The engine: every input goes in here, and every effect comes out. A table, and the end of a step.

Deterministic: the same inputs, clocks and minted ids give the same effects, byte for byte. It does
    no I/O, reads no clock and rolls no dice. The shell performs the effects in order and feeds the
    answers back.
"""

from __future__ import annotations

from collections.abc import Callable

from roomkit.core import (
    following,
    inputs,
    intake,
    keeping,
    log,
    messages,
    presence,
    queue,
    reading,
    sessions,
)
from roomkit.core.effects import Effect
from roomkit.core.inputs import Input, Now
from roomkit.core.policy import Policy, allow_own
from roomkit.core.state import Served, State
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn
from roomkit.ids import ConnectionId, NodeId, RoomId, SessionId, UserId
from roomkit.limits import Limits

__all__ = ["Engine"]


class Engine:
    """One node's rooms, as a state machine.

    Args:
        limits: what is allowed, and for how long.
        mint: returns a new unique id each time; the engine's only source of chance.
        policy: the host's rule on who may do what.
        state: another engine's, between two steps, to go on from; a fresh node's without it.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        mint: Callable[[], str],
        policy: Policy = allow_own,
        state: State | None = None,
    ) -> None:
        if state is None:
            state = State(NodeId(mint()))
            state.timers.set(Timer.LEASE, "", 0)
        self.state = state
        self._turn = Turn(state, limits, mint, policy)

    @property
    def node(self) -> NodeId:
        """This node's id; it changes if the node is declared lost while it lives."""
        return self.state.node

    @property
    def next_deadline(self) -> int | None:
        """When to step a `Tick` at the latest, in monotonic milliseconds."""
        return self.state.timers.next_deadline

    def step(self, input: Input, now: Now) -> list[Effect]:
        """Take one input and return what is to be done, in order.

        Args:
            input: what happened.
            now: both clocks; the monotonic one never goes back.
        """
        turn = self._turn
        turn.begin(now)
        _HANDLERS[type(input)](turn, input)
        judge = queue.put_off if isinstance(input, inputs.Received) and input.more else queue.pump
        while turn.touched:
            _, served = turn.touched.popitem()
            judge(turn, served)
            keeping.watch_idleness(turn, served)
        return turn.effects


def _tick(turn: Turn, _: inputs.Tick) -> None:
    for timer, key in turn.state.timers.take_due(turn.now):
        _TIMERS[timer](turn, key)


def _page(turn: Turn, answer: inputs.MessagesPaged) -> None:
    served = turn.state.rooms.get(answer.room)
    if served is not None:
        reading.paged(turn, served, answer.page, answer.result)


_HANDLERS: dict[type, Callable[..., None]] = {
    inputs.Connected: sessions.connected,
    inputs.Opened: sessions.opened,
    inputs.Received: intake.received,
    inputs.Garbled: intake.garbled,
    inputs.Closed: sessions.closed,
    inputs.Asked: intake.asked,
    inputs.Watched: intake.watched,
    inputs.Unwatched: intake.unwatched,
    inputs.Appended: log.appended,
    inputs.LogRead: following.log_read,
    inputs.RoomLoaded: following.loaded,
    inputs.RoomSaved: keeping.saved,
    inputs.MessagesPaged: _page,
    inputs.TipsRead: following.tips_read,
    inputs.LeaseRenewed: presence.lease_renewed,
    inputs.LapsedFound: presence.lapsed_found,
    inputs.Fed: following.fed,
    inputs.Drain: sessions.drain,
    inputs.Tick: _tick,
}


def _in_room(handler: Callable[[Turn, Served], None]) -> Callable[[Turn, str], None]:
    """Return a timer's handler for one that works on a served room."""

    def fire(turn: Turn, key: str) -> None:
        served = turn.state.rooms.get(RoomId(key))
        if served is not None:
            handler(turn, served)

    return fire


_TIMERS: dict[Timer, Callable[[Turn, str], None]] = {
    Timer.SILENT: lambda turn, key: sessions.silent_too_long(turn, ConnectionId(key)),
    Timer.HEARTBEAT: lambda turn, key: sessions.heartbeat_due(turn, ConnectionId(key)),
    Timer.GRACE: lambda turn, key: sessions.grace_over(turn, SessionId(key)),
    Timer.USER: lambda turn, key: sessions.user_due(turn, UserId(key)),
    Timer.TYPING: _in_room(messages.typing_expired),
    Timer.LEGACY_ROSTER: _in_room(presence.list_legacy_roster),
    Timer.UNANSWERED: _in_room(queue.unanswered),
    Timer.RETRY: _in_room(following.retry_due),
    Timer.OCCUPANCY: _in_room(presence.count_occupants),
    Timer.JUDGE: _in_room(Turn.touch),
    Timer.FORGET: _in_room(keeping.forget_due),
    Timer.TIPS: lambda turn, key: following.tips_due(turn),
    Timer.LEASE: lambda turn, key: presence.lease_due(turn),
}
