"""Law 5, on the server: what a node folded from the log is what the model makes of it."""

from __future__ import annotations

from roomkit.core.room import Room
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.model import ModelRoom
from roomkit.testing.world import Node

__all__ = ["compare_fold"]


def compare_fold(node: Node, room: Room, model: ModelRoom) -> None:
    """Compare a node's room with the model's, both after the same entry.

    Raises:
        LawBroken: they differ (law 5).
    """
    folded = (room.tip.seq, room.fence, room.shown, room.posted, list(room.roster))
    wanted = (model.seq, model.fence, model.shown, len(model.messages), list(model.roster))
    if folded != wanted:
        raise LawBroken(5, f"{node.name} folded {room.name!r} into {folded}, not {wanted}")
    for user, occupant in room.roster.items():
        told = model.roster[user]
        if (occupant.username, occupant.since, occupant.meta, occupant.sessions) != (
            told.username,
            told.since,
            told.meta,
            dict(told.sessions),
        ):
            raise LawBroken(5, f"{node.name} holds {occupant} in {room.name!r}, not {told}")
    wanted_names: dict[str, str] = {}
    for user_id, occupant_told in model.roster.items():
        wanted_names.setdefault(occupant_told.key, user_id)
    if room.names != wanted_names:
        raise LawBroken(5, f"{node.name} holds the names {room.names}, not {wanted_names}")
