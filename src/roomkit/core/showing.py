"""What a room is shown as to somebody who comes: a snapshot, or what followed a position; counts.

Nothing here changes anything.
"""

from __future__ import annotations

import msgspec

from roomkit.core.events import EntryEvent, RoomJoined
from roomkit.core.policy import Action
from roomkit.core.state import Connection, Served, UserState
from roomkit.core.turn import Turn
from roomkit.errors import Refused
from roomkit.ids import Position

__all__ = ["occupancy", "resume", "snapshot"]

_TOLD_ACTIONS = tuple(action for action in Action if action not in (Action.CREATE, Action.JOIN))


def snapshot(
    turn: Turn, served: Served, connection: Connection, ref: str | None, history: int
) -> RoomJoined:
    """Return the room as it is now, for one connection."""
    room, session = served.room, connection.session
    assert room is not None and session is not None
    can = _can(turn, session.user, served)
    messages = served.history.newest(history) if Action.HISTORY in can else ()
    users, _ = occupancy(served)
    return RoomJoined(
        served.name,
        ref,
        room.tip,
        recovered=None,
        can=can,
        typing=served.typists.names(turn.limits.typing_names),
        typing_total=len(served.typists.by_user),
        typing_expires_ms=turn.limits.typing_expiry_ms,
        total=users,
        shown=room.shown,
        messages=messages,
        occupants=tuple([occupant.view() for occupant in room.roster.values()]),
        has_before=Action.HISTORY in can and room.posted > len(messages),
    )


def occupancy(served: Served) -> tuple[int, int]:
    """Return how many users and sessions are in the room, as far as this node knows."""
    room = served.room
    if room is not None and room.shown:
        roster = room.roster.values()
        return len(room.roster), sum(len(occupant.sessions) for occupant in roster)
    users = {local.session.user.user_id for local in served.sessions.values()}
    counts = served.counts.values()
    return (
        len(users) + sum(count.users for count in counts),
        len(served.sessions) + sum(count.sessions for count in counts),
    )


def resume(
    turn: Turn, served: Served, joined: RoomJoined, since: Position
) -> tuple[RoomJoined, list[EntryEvent]]:
    """Turn a snapshot into a recovery, if the tail still reaches back to `since`."""
    replay = served.tail.after(since)
    common = (joined.can, joined.typing, joined.typing_total, joined.typing_expires_ms)
    if replay is not None:
        return RoomJoined(served.name, joined.ref, since, True, *common), replay
    tip = joined.position.seq
    known = served.tail.link_at(since.seq)
    if since.seq > tip or (known is not None and known != since.link):
        reason = "forked"
    elif served.tail.shed or tip - since.seq > turn.limits.replay_entries:
        reason = "replay_limit"
    else:
        reason = "trimmed"
    gap = msgspec.structs.replace(
        joined, recovered=False, gap_reason=reason, gap_from=since.seq + 1
    )
    return gap, []


def _can(turn: Turn, user: UserState, served: Served) -> tuple[Action, ...]:
    allowed: list[Action] = []
    for action in _TOLD_ACTIONS:
        try:
            if turn.may(user, served.name, action):
                allowed.append(action)
        except Refused:
            continue
    return tuple(allowed)
