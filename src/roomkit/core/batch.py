"""Drafting one append: which facts go in, which join with their like, and its sealing.

Joins next to each other become one `Entered`, leavings one `Left`: a storm of either is one entry.
Only neighbours merge, so what one connection sent stays in the order in which it was sent.
"""

from __future__ import annotations

from roomkit.core import facts
from roomkit.core.effects import Append, FactItem
from roomkit.core.room import Room
from roomkit.core.state import Batch, BatchItem, Served, Waiting
from roomkit.core.storage import Nonce
from roomkit.core.turn import Turn

__all__ = ["arrive", "depart", "propose", "seal", "send"]


def propose(batch: Batch, fact: facts.Fact, waiting: Waiting, key: str | None = None) -> None:
    """Add a fact of its own; a control fact closes the batch."""
    batch.items.append(BatchItem(fact, key, [waiting]))
    batch.control = type(fact) in facts.CONTROL_FACTS


def arrive(turn: Turn, batch: Batch, arrival: facts.Arrival, waiting: Waiting) -> None:
    """Add a session entering here."""
    last = batch.items[-1] if batch.items else None
    if last is not None and isinstance(last.fact, facts.Entered) and not last.fact.all:
        last.fact.arrivals.append(arrival)
        last.waiting.append(waiting)
    else:
        propose(batch, facts.Entered(turn.state.node, [arrival]), waiting)


def depart(turn: Turn, batch: Batch, departure: facts.Departure, waiting: Waiting) -> None:
    """Add a session leaving from here."""
    last = batch.items[-1] if batch.items else None
    if last is not None and isinstance(last.fact, facts.Left):
        last.fact.departures.append(departure)
        last.waiting.append(waiting)
    else:
        propose(batch, facts.Left(turn.state.node, [departure]), waiting)


def seal(turn: Turn, served: Served, batch: Batch, room: Room) -> None:
    """Give the batch its nonce, make it the room's one append in flight, and send it.

    What a failover loses after the last control fact leaves the fence right. So a control fact, an
    edit of a message that is lost for example, also names the entry it was judged after.
    """
    turn.state.appends += 1
    batch.nonce = Nonce(turn.state.node, turn.state.appends)
    batch.fence = room.fence
    if batch.control and room.tip.seq:
        batch.after = room.tip
    for item in batch.items:
        item.data = facts.encode(item.fact)
    served.batch = batch
    send(turn, served, batch)


def send(turn: Turn, served: Served, batch: Batch) -> None:
    """Send the append; sending it again changes nothing in it."""
    assert batch.nonce is not None, "a batch is sealed before it is sent"
    turn.emit(
        Append(
            served.name,
            batch.nonce,
            batch.fence,
            tuple([FactItem(item.key, item.data) for item in batch.items]),
            batch.control,
            batch.after,
        )
    )
