"""The verdict finds each thing that may be wrong with a run, and nothing in one that went well."""

from __future__ import annotations

import pytest

from tests.crash.record import Draft, Ending, Person, Record, Revision
from tests.crash.verdict import faults

ALICE = {"user_id": "guest-1", "username": "alice", "sessions": 1}


def stored(seq: int, text: str, **more: object) -> dict[str, object]:
    key = f"key-{seq}"
    message = {"seq": seq, "link": f"link-{seq}", "id": f"{seq}-link-{seq}", "message": text}
    return {**message, "user_id": "guest-1", "idempotency_key": key, **more}


def draft(seq: int, text: str, *revisions: Revision) -> Draft:
    return Draft("general", text, "acked", f"{seq}-link-{seq}", seq, f"link-{seq}", [*revisions])


def good() -> Record:
    """Two messages of alice's, the second edited; acknowledged, shown and held."""
    history = [stored(2, "good morning"), stored(3, "at nine", version=2)]
    alice = Person(
        "alice",
        [draft(2, "good morning"), draft(3, "at eight", Revision("at nine", "acked", 2))],
        {"guest-1"},
        {"general": [(2, "link-2"), (3, "link-3")]},
    )
    ending = Ending(history, [ALICE], {"alice": (history, [ALICE])})
    return Record([alice], {"general": ending})


def test_a_run_that_went_well_has_no_faults() -> None:
    assert faults(good()) == []


def lose(record: Record) -> None:
    record.people[0].drafts.append(draft(4, "anybody?"))


def double(record: Record) -> None:
    again = stored(4, "good morning")
    record.endings["general"] = ending_with(record, [*record.endings["general"].history, again])


def store_a_key_twice(record: Record) -> None:
    again = stored(4, "", deleted="2026-01-01T00:00:00.000Z", idempotency_key="key-2")
    record.endings["general"] = ending_with(record, [*record.endings["general"].history, again])


def disorder(record: Record) -> None:
    record.endings["general"] = ending_with(record, record.endings["general"].history[::-1])


def undo_an_edit(record: Record) -> None:
    history = [stored(2, "good morning"), stored(3, "at eight")]
    record.endings["general"] = ending_with(record, history)


def invent(record: Record) -> None:
    history = [*record.endings["general"].history, stored(4, "who am I?")]
    record.endings["general"] = ending_with(record, history)


def show_twice(record: Record) -> None:
    record.people[0].shown["general"].append((3, "link-3"))


def show_what_is_gone(record: Record) -> None:
    record.people[0].shown["general"].append((4, "link-4"))


def hold_something_else(record: Record) -> None:
    ending = record.endings["general"]
    ending.views = {"alice": ([stored(2, "good evening")], [ALICE])}


def hold_nothing(record: Record) -> None:
    record.endings["general"].views = {"alice": ([], [ALICE])}


def see_somebody_else(record: Record) -> None:
    ending = record.endings["general"]
    ending.views = {"alice": (ending.history, [ALICE, {**ALICE, "user_id": "guest-2"}])}


def become_another(record: Record) -> None:
    record.people[0].user_ids.add("guest-2")


def leave(record: Record) -> None:
    record.people[0].seen_leaving.append("bob")


def ending_with(record: Record, history: list[dict[str, object]] | object) -> Ending:
    """The ending with another history, which everybody holds."""
    assert isinstance(history, list)
    return Ending(history, [ALICE], {"alice": (history, [ALICE])})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lose, "is lost"),
        (double, "was posted 2 times"),
        (store_a_key_twice, "the key key-2 was stored 2 times"),
        (disorder, "not in one order"),
        (undo_an_edit, "ought to be one of ['at nine']"),
        (invent, "nobody wrote"),
        (show_twice, "twice or out of order"),
        (show_what_is_gone, "was shown what is lost"),
        (hold_something_else, "unlike the server's"),
        (hold_nothing, "holds only 0 messages"),
        (see_somebody_else, "alice sees"),
        (become_another, "a token did not survive"),
        (leave, "was shown leaving"),
    ],
)
def test_what_is_wrong_is_said(spoil: object, said: str) -> None:
    record = good()
    assert callable(spoil)
    spoil(record)
    assert any(said in fault for fault in faults(record)), faults(record)


def test_an_edit_without_an_answer_may_have_happened_or_not() -> None:
    for text in ("good morning", "good day"):
        record = good()
        record.people[0].drafts[0].revisions.append(Revision("good day", "unknown"))
        history = [stored(2, text), stored(3, "at nine", version=2)]
        record.endings["general"] = ending_with(record, history)
        assert faults(record) == []
