"""Rosters that go off and on, counts while they are off, and leases of nodes (rules 8 to 10)."""

from __future__ import annotations

from roomkit.core import facts, signals
from roomkit.core.batch import propose
from roomkit.core.effects import Broadcast, FindLapsed, Renew, SendToNodes
from roomkit.core.events import OccupancyCounted, RosterListed
from roomkit.core.inputs import LapsedFound, LeaseRenewed
from roomkit.core.showing import occupancy
from roomkit.core.state import (
    Batch,
    Depart,
    LoseNode,
    NodeCount,
    Served,
    StateOccupants,
    SwitchRoster,
    Waiting,
    Wish,
)
from roomkit.core.timers import Timer
from roomkit.core.turn import Turn
from roomkit.ids import NodeId

__all__ = [
    "count_anew",
    "count_occupants",
    "heard_occupancy",
    "interrupted",
    "judge_nodes",
    "lapsed_found",
    "lease_due",
    "lease_renewed",
    "list_legacy_roster",
    "lose_node",
    "new_identity",
    "owe_legacy_roster",
    "past_limit",
    "roster_switched",
    "state_occupants",
    "switch_roster",
    "take_back",
    "want",
]

_COUNTS_MISSED = 3
"""A node's count is dropped when it has not been repeated for this many periods."""


def want(turn: Turn, served: Served, command: Wish) -> None:
    """Queue something the engine itself wants written, once; statements go before all else."""
    if any(waiting.command == command for waiting in served.queue):
        return
    waiting = Waiting(command, turn.now)
    if isinstance(command, StateOccupants):
        served.queue.appendleft(waiting)
    else:
        served.queue.append(waiting)
    turn.touch(served)


def past_limit(turn: Turn, served: Served) -> None:
    """Want the roster off if this node's own entry took it past the limit."""
    room = served.room
    if room is not None and room.shown and len(room.roster) > turn.limits.roster_limit:
        want(turn, served, SwitchRoster(False))


def roster_switched(turn: Turn, served: Served) -> None:
    """Begin counting when the roster went off; state our occupants when it came on."""
    room = served.room
    assert room is not None
    served.counts.clear()
    served.told = served.low_since = None
    if room.shown:
        turn.state.timers.cancel(Timer.OCCUPANCY, served.name)
        want(turn, served, StateOccupants())
    else:
        turn.state.timers.set(Timer.OCCUPANCY, served.name, turn.now)


def count_anew(turn: Turn, served: Served) -> None:
    """A room was loaded: what was counted before, and since when the sum was low, is void."""
    served.counts.clear()
    served.told = served.low_since = None
    if served.room is not None and not served.room.shown and served.sessions:
        turn.state.timers.set(Timer.OCCUPANCY, served.name, turn.now)


def count_occupants(turn: Turn, served: Served) -> None:
    """Signal our count, tell members a changed sum, and want the roster back once it stays low."""
    room, limits = served.room, turn.limits
    if room is None or room.shown:
        return
    stale = turn.now - _COUNTS_MISSED * limits.occupancy_ms
    served.counts = {node: count for node, count in served.counts.items() if count.at > stale}
    if not (served.sessions or served.watchers):
        return
    users = len({local.session.user.user_id for local in served.sessions.values()})
    signal = signals.OccupancySignal(turn.state.node, users, len(served.sessions))
    turn.emit(SendToNodes(served.name, signals.encode(signal)))
    _tell_occupancy(turn, served)
    again = turn.now + limits.occupancy_ms
    if served.low_since is not None:
        back = served.low_since + limits.roster_return_ms
        if back <= turn.now:
            want(turn, served, SwitchRoster(True))
        else:
            again = min(again, back)
    turn.state.timers.set(Timer.OCCUPANCY, served.name, again)


def heard_occupancy(turn: Turn, served: Served, signal: signals.OccupancySignal) -> None:
    """Take another node's count."""
    served.counts[signal.node] = NodeCount(signal.users, signal.sessions, turn.now)
    if served.room is not None and not served.room.shown:
        _tell_occupancy(turn, served)


def interrupted(served: Served) -> None:
    """Counts may have been missed: the time the sum has been low begins anew."""
    served.low_since = None


def owe_legacy_roster(turn: Turn, served: Served) -> None:
    """The roster changed: protocol-1 members are owed a list at the end of this tick."""
    served.fresh.clear()
    if served.legacy:
        turn.state.timers.set_if_unset(Timer.LEGACY_ROSTER, served.name, turn.now)


def list_legacy_roster(turn: Turn, served: Served) -> None:
    """Send protocol-1 members the list of users, once for all changes of this tick."""
    room, fresh = served.room, served.fresh
    if room is None or len(fresh) == served.legacy:
        return
    if room.shown:
        views = tuple([occupant.view() for occupant in room.roster.values()])
        event = RosterListed(served.name, None, views, len(views), truncated=False)
    else:
        event = RosterListed(served.name, None, (), occupancy(served)[0], truncated=True)
    turn.emit(Broadcast(served.name, event, tuple(fresh), 1))
    fresh.clear()


def switch_roster(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose the switch, unless it has happened or is no longer wanted."""
    command, room = waiting.command, served.room
    assert isinstance(command, SwitchRoster) and room is not None
    users, _ = occupancy(served)
    wanted = (
        users <= turn.limits.roster_return if command.shown else users > turn.limits.roster_limit
    )
    if room.shown == command.shown or not wanted:
        turn.finish(served, waiting, None)
    else:
        propose(batch, facts.RosterSwitched(command.shown), waiting)


def state_occupants(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose the list of everybody this node serves here, unless there is nothing to say."""
    command, room = waiting.command, served.room
    assert isinstance(command, StateOccupants) and room is not None
    node = turn.state.node
    held = room.nodes()
    if not room.shown or not (served.sessions or node in held or command.former in held):
        turn.finish(served, waiting, None)
        return
    arrivals = [
        facts.Arrival(
            session_id,
            local.session.user.user_id,
            local.username,
            local.meta,
            max(0, turn.wall - local.since),
        )
        for session_id, local in served.sessions.items()
    ]
    propose(batch, facts.Entered(node, arrivals, True, command.former), waiting)


def take_back(turn: Turn, served: Served, statement: facts.Entered) -> None:
    """Have those out again who were gone before our statement of them was in the log."""
    for arrival in statement.arrivals:
        if arrival.session not in served.sessions:
            gone = Depart(arrival.session, arrival.user_id, "replaced")
            served.queue.appendleft(Waiting(gone, turn.now))
            turn.touch(served)


def lose_node(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose that a node is lost, unless nothing of it is left in the roster."""
    command, room = waiting.command, served.room
    assert isinstance(command, LoseNode) and room is not None
    if command.node in room.nodes():
        propose(batch, facts.NodeLost(command.node), waiting)
    else:
        turn.finish(served, waiting, None)


def new_identity(turn: Turn) -> None:
    """We were declared lost: take a new id and state our occupants under it everywhere."""
    state = turn.state
    former, state.node = state.node, NodeId(turn.mint())
    for served in state.rooms.values():
        want(turn, served, StateOccupants(former))
    lease_due(turn)


def lease_due(turn: Turn) -> None:
    """Renew our lease, and ask after the nodes that our rooms' rosters name."""
    state, limits = turn.state, turn.limits
    if state.draining:
        return
    if state.lease_asked is not None:
        state.distrust_until = turn.now + limits.lease_renew_ms
    state.lease_asked = turn.now
    turn.emit(Renew(state.node, limits.lease_ms))
    state.timers.set(Timer.LEASE, "", turn.now + limits.lease_renew_ms)
    named = [served.room.nodes() for served in state.rooms.values() if served.room is not None]
    _note_unjudged(turn, set[NodeId]().union(*named))
    _ask_lapsed(turn)


def judge_nodes(turn: Turn, served: Served) -> None:
    """Ask at once after the nodes a loaded room lists: they may have died while nobody looked."""
    if served.room is not None:
        _note_unjudged(turn, served.room.nodes())
        _ask_lapsed(turn)


def _note_unjudged(turn: Turn, nodes: set[NodeId]) -> None:
    state = turn.state
    state.unjudged = tuple(sorted(nodes.union(state.unjudged) - {state.node}))


def _ask_lapsed(turn: Turn) -> None:
    """Ask once at a time which nodes hold no lease; what is named meanwhile is asked next."""
    state = turn.state
    if not state.unjudged or state.lapsed_asked is not None:
        return
    if state.draining or turn.now < state.distrust_until:
        return
    state.lapsed_asked = turn.now
    nodes, state.unjudged = state.unjudged, ()
    turn.emit(FindLapsed(nodes))


def lease_renewed(turn: Turn, answer: LeaseRenewed) -> None:
    """Note whether we hold our lease; if not, or late, judge nobody else's for a period."""
    state, period = turn.state, turn.limits.lease_renew_ms
    asked, state.lease_asked = state.lease_asked, None
    if not answer.renewed or (asked is not None and turn.now - asked > period):
        state.distrust_until = turn.now + period


def lapsed_found(turn: Turn, answer: LapsedFound) -> None:
    """Want lost nodes written down in every room that still lists them.

    Not on a late answer: they may have renewed their leases since it was true.
    """
    state = turn.state
    asked, state.lapsed_asked = state.lapsed_asked, None
    late = asked is not None and turn.now - asked > turn.limits.lease_renew_ms
    if not late and turn.now >= state.distrust_until:
        for served in state.rooms.values():
            if served.room is None:
                continue
            for node in sorted(served.room.nodes().intersection(answer.lapsed)):
                want(turn, served, LoseNode(node))
    _ask_lapsed(turn)


def _tell_occupancy(turn: Turn, served: Served) -> None:
    users, sessions = occupancy(served)
    if users > turn.limits.roster_return:
        served.low_since = None
    elif served.low_since is None:
        served.low_since = turn.now
    if served.told != (users, sessions):
        served.told = (users, sessions)
        turn.broadcast(served, OccupancyCounted(served.name, users, sessions))
