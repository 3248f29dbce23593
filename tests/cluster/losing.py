"""Judges a run in which the server lost what it had acknowledged: every loss must have been told.

What clients were shown falls into stretches, which end where a gap was told. Within one everything
is in order and once; what is not in the history at the end was shown before a gap.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.crash.record import Ending, Person, Record

__all__ = ["losses", "untold"]

Shown = Sequence[tuple[int, str]]


def untold(record: Record) -> list[str]:
    """Return what is wrong, a sentence each; empty if all is well."""
    return [
        fault
        for room, ending in record.endings.items()
        for fault in (*_doubled(room, ending), *_shown(record, room, ending))
    ]


def losses(record: Record) -> int:
    """How many acknowledged messages are not there at the end."""
    there = {
        (room, message["id"])
        for room, ending in record.endings.items()
        for message in ending.history
    }
    return sum(
        draft.outcome == "acked" and (draft.room, draft.id) not in there for draft in record.drafts
    )


def _doubled(room: str, ending: Ending) -> Iterator[str]:
    seqs = [int(str(message["seq"])) for message in ending.history]
    if seqs != sorted(set(seqs)):
        yield f"{room}: the history is not in one order"
    keys = Counter((one["user_id"], one.get("idempotency_key")) for one in ending.history)
    for (_, key), times in keys.items():
        if times > 1:
            yield f"{room}: the key {key} was stored {times} times"


def _shown(record: Record, room: str, ending: Ending) -> Iterator[str]:
    stored = {(int(str(one["seq"])), str(one["link"])) for one in ending.history}
    kept = min((seq for seq, _ in stored), default=0)
    for person in record.people:
        *before, last = stretches(person, room)
        for stretch in (*before, last):
            if any(later <= earlier for (earlier, _), (later, _) in itertools.pairwise(stretch)):
                yield f"{room}: {person.name} was shown messages twice or out of order"
        gone = [one for one in last if one not in stored and one[0] >= kept]
        if gone:
            yield f"{room}: {person.name} was shown what is lost and never told: {gone[:3]}"
        told = {one for stretch in before for one in stretch}
        for draft in person.drafts:
            place = (draft.seq, draft.link)
            lost = draft.outcome == "acked" and draft.room == room and place not in stored
            if lost and draft.seq >= kept and not (told or person.gaps[room]):
                yield f"{room}: {draft.text!r} of {person.name} is lost, and no gap was told"


def stretches(person: Person, room: str) -> list[Shown]:
    """Return what somebody was shown in a room, divided where gaps were told."""
    shown = person.shown.get(room, [])
    cuts = [0, *person.gaps.get(room, []), len(shown)]
    return [shown[start:end] for start, end in itertools.pairwise(cuts)]
