"""The command table: one row per command, with everything that must hold before its handler runs.

The rows are the whole dispatch: `queue.judge` checks a row's preconditions in one place and calls
its handler; nothing else decides what a command needs. The documentation's diagrams are drawn from
here.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from roomkit.core import (
    commands,
    hosting,
    inputs,
    membership,
    messages,
    presence,
    reading,
    revisions,
    state,
)
from roomkit.core.policy import Action
from roomkit.core.state import Batch, BatchItem, Pace, Served, Waiting
from roomkit.core.turn import Turn

__all__ = ["SETTLED", "TABLE", "Row"]

Handler = Callable[[Turn, Served, Waiting, Batch], None]
Settled = Callable[[Turn, Served, BatchItem, Waiting], None]


class Row(msgspec.Struct, frozen=True):
    """How a command is treated.

    Attributes:
        handler: judges it: answers it, proposes a fact for it, or raises `Refused`.
        queued: always waits its turn in the room's queue, since it may append.
        holds: later commands of its connection in this room wait until it is answered.
        joined: its connection must be attached to the room.
        action: what the policy is asked.
        pace: the user's bucket it is charged to.
        bounded: it counts against the bounds on waiting commands.
        alone: its fact is an append of its own: it speaks of everybody as folded.
    """

    handler: Handler
    queued: bool = False
    holds: bool = False
    joined: bool = False
    action: Action | None = None
    pace: Pace | None = None
    bounded: bool = True
    alone: bool = False


TABLE: dict[type, Row] = {
    commands.JoinRoom: Row(
        membership.join_room, queued=True, holds=True, action=Action.JOIN, pace=Pace.JOIN
    ),
    commands.LeaveRoom: Row(
        membership.leave_room, queued=True, holds=True, joined=True, bounded=False
    ),
    commands.SendMessage: Row(
        messages.send_message, queued=True, joined=True, action=Action.SEND, pace=Pace.MESSAGE
    ),
    commands.EditMessage: Row(
        revisions.edit_message, queued=True, holds=True, joined=True, pace=Pace.MESSAGE
    ),
    commands.DeleteMessage: Row(
        revisions.delete_message, queued=True, holds=True, joined=True, pace=Pace.MESSAGE
    ),
    commands.TypingStart: Row(messages.typing_start, joined=True, action=Action.TYPE),
    commands.TypingStop: Row(messages.typing_stop, joined=True),
    commands.SendSignal: Row(messages.send_signal, joined=True, action=Action.SIGNAL),
    commands.GetHistory: Row(reading.get_history, holds=True, joined=True, action=Action.HISTORY),
    commands.GetUsers: Row(reading.get_users, joined=True, action=Action.USERS),
    inputs.HostPost: Row(messages.host_post, queued=True),
    inputs.HostEdit: Row(revisions.edit_message, queued=True),
    inputs.HostDelete: Row(revisions.delete_message, queued=True),
    inputs.HostKick: Row(hosting.host_kick, queued=True),
    inputs.HostHistory: Row(reading.get_history),
    inputs.HostUsers: Row(reading.get_users),
    state.Depart: Row(membership.depart_wished, queued=True, bounded=False),
    state.StateOccupants: Row(presence.state_occupants, queued=True, bounded=False, alone=True),
    state.LoseNode: Row(presence.lose_node, queued=True, bounded=False),
    state.SwitchRoster: Row(presence.switch_roster, queued=True, bounded=False),
}
"""Every command of a room. Ping and pong belong to no room and are answered at once."""

SETTLED: dict[type, Settled] = {
    commands.JoinRoom: membership.entered,
    commands.LeaveRoom: membership.left,
    commands.SendMessage: messages.posted,
    commands.EditMessage: revisions.revised,
    commands.DeleteMessage: revisions.revised,
    inputs.HostPost: messages.posted,
    inputs.HostEdit: revisions.revised,
    inputs.HostDelete: revisions.revised,
    inputs.HostKick: hosting.kicked,
}
"""How a command is answered once its fact is stored and folded; the engine's own need no answer."""
