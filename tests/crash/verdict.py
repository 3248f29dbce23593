"""Judges a run: what was acknowledged against what there is, and every client against the server.

It looks at histories, never at counts, and at nothing the server said of itself while it ran.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from tests.crash.record import Data, Draft, Ending, Record

__all__ = ["faults"]

JOINED_WITH = 20
"""Messages a snapshot brings at least, where there are so many."""


def faults(record: Record, *, may_leave: bool = False) -> list[str]:
    """Return what is wrong, a sentence each; empty if all is well.

    Args:
        may_leave: somebody may have been away for longer than a lease, and be shown leaving.
    """
    return [
        *_identities(record),
        *(() if may_leave else _leavings(record)),
        *(fault for room in record.endings for fault in _of_room(record, room)),
    ]


def _identities(record: Record) -> Iterator[str]:
    for person in record.people:
        if len(person.user_ids) != 1:
            yield f"{person.name} was {sorted(person.user_ids)}: a token did not survive"


def _leavings(record: Record) -> Iterator[str]:
    for person in record.people:
        if person.seen_leaving:
            yield f"{person.name} was shown leaving: {sorted(set(person.seen_leaving))}"


def _of_room(record: Record, room: str) -> Iterator[str]:
    ending = record.endings[room]
    seqs = [int(str(message["seq"])) for message in ending.history]
    if seqs != sorted(set(seqs)):
        yield f"{room}: the history is not in one order: {seqs}"
    yield from _messages(record, room, ending)
    yield from _shown(record, room, ending)
    yield from _views(room, ending)


def _messages(record: Record, room: str, ending: Ending) -> Iterator[str]:
    """Every acknowledged message is there exactly once, every other at most once."""
    by_seq = {message["seq"]: message for message in ending.history}
    written = {}
    for draft in (draft for draft in record.drafts if draft.room == room):
        for text in (draft.text, *(revision.text for revision in draft.revisions)):
            written[text] = draft.text
    found = Counter(written.get(str(message["message"])) for message in ending.history)
    for draft in (draft for draft in record.drafts if draft.room == room):
        if found[draft.text] > 1:
            yield f"{room}: {draft.text!r} was posted {found[draft.text]} times"
        if draft.outcome == "acked":
            yield from _acked(draft, by_seq.get(draft.seq))
    strangers = {
        message["message"]
        for message in ending.history
        if message["message"] and message["message"] not in written
    }
    if strangers:
        yield f"{room}: nobody wrote {sorted(map(str, strangers))}"
    keys = Counter(
        (message["user_id"], message.get("idempotency_key")) for message in ending.history
    )
    for (_, key), times in keys.items():
        if times > 1:
            yield f"{room}: the key {key} was stored {times} times"


def _acked(draft: Draft, stored: Data | None) -> Iterator[str]:
    """What was acknowledged is what is stored, as its acknowledged revisions left it."""
    if stored is None or (stored["id"], stored["link"]) != (draft.id, draft.link):
        yield f"{draft.room}: {draft.text!r} was acknowledged as {draft.id} and is lost"
        return
    settled = [n for n, revision in enumerate(draft.revisions) if revision.outcome == "acked"]
    since = settled[-1] if settled else -1
    texts = [draft.text, *(revision.text for revision in draft.revisions)][since + 1 :]
    possible = [texts[0]] + [
        revision.text for revision in draft.revisions[since + 1 :] if revision.outcome == "unknown"
    ]
    text = None if "deleted" in stored else stored["message"]
    if text not in possible:
        yield f"{draft.room}: {draft.text!r} is {text!r} and ought to be one of {possible}"
    version = int(str(stored.get("version", 1)))
    if settled and version < draft.revisions[since].version:
        yield f"{draft.room}: {draft.text!r} is version {version}, older than acknowledged"
    refused = [revision for revision in draft.revisions if revision.outcome == "refused"]
    if refused and not any(
        revision.text is None and revision.outcome == "unknown" for revision in draft.revisions
    ):
        yield f"{draft.room}: a revision of {draft.text!r} was refused"


def _shown(record: Record, room: str, ending: Ending) -> Iterator[str]:
    """What clients were shown is what is stored, in its order, nothing twice."""
    stored = {(message["seq"], message["link"]) for message in ending.history}
    for person in record.people:
        shown = person.shown.get(room, [])
        if any(later <= earlier for (earlier, _), (later, _) in itertools.pairwise(shown)):
            yield f"{room}: {person.name} was shown messages twice or out of order"
        gone = [message for message in shown if message not in stored]
        if gone:
            yield f"{room}: {person.name} was shown what is lost: {gone[:3]}"


def _views(room: str, ending: Ending) -> Iterator[str]:
    """Each client holds the newest messages and the occupants as the server has them."""
    occupants = sorted(map(_occupant, ending.occupants))
    for name, (messages, present) in ending.views.items():
        newest = list(ending.history)[-len(messages) :] if messages else []
        if len(messages) < min(len(ending.history), JOINED_WITH):
            yield f"{room}: {name} holds only {len(messages)} messages"
        if list(messages) != newest:
            wrong = [ours for ours, theirs in zip(messages, newest, strict=False) if ours != theirs]
            yield f"{room}: {name} holds {len(messages)} messages unlike the server's: {wrong[:2]}"
        if sorted(map(_occupant, present)) != occupants:
            yield f"{room}: {name} sees {present}, the server has {ending.occupants}"


def _occupant(occupant: Data) -> tuple[str, str, int]:
    return str(occupant["user_id"]), str(occupant["username"]), int(str(occupant["sessions"]))
