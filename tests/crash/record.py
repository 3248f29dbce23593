"""What is written down outside the server while it is killed: every answer, all that was shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Draft", "Ending", "Person", "Record", "Revision"]

Outcome = Literal["open", "acked", "unknown", "refused"]
Data = Mapping[str, object]


@dataclass
class Revision:
    """An edit (`text`) or a delete (None) of one's own message."""

    text: str | None
    outcome: Outcome = "open"
    version: int = 0


@dataclass
class Draft:
    """A message somebody wanted to post; `text` is unique in the run.

    Attributes:
        id, seq, link: as acknowledged.
        revisions: in the order they were asked for, one at a time.
    """

    room: str
    text: str
    outcome: Outcome = "open"
    id: str = ""
    seq: int = 0
    link: str = ""
    revisions: list[Revision] = field(default_factory=list[Revision])


@dataclass
class Person:
    """One client.

    Attributes:
        user_ids: who the server said they are, after each connecting.
        shown: by room, (seq, link) of each message shown as it happened, in the order shown.
        gaps: by room, how many messages had been shown each time a gap was told.
        recovered: how often a room came back with `recovered` true, false and null.
        seen_leaving: names this client was shown leaving.
    """

    name: str
    drafts: list[Draft] = field(default_factory=list[Draft])
    user_ids: set[str] = field(default_factory=set[str])
    shown: dict[str, list[tuple[int, str]]] = field(
        default_factory=dict[str, list[tuple[int, str]]]
    )
    gaps: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    recovered: Counter[bool | None] = field(default_factory=Counter[bool | None])
    seen_leaving: list[str] = field(default_factory=list[str])


@dataclass
class Ending:
    """How one room looks once all is quiet, to the server and to each client.

    Attributes:
        history: every message, oldest first, read page by page by somebody who just came.
        occupants: as the server answers `get_users`.
        views: by person, the messages held and the occupants.
    """

    history: Sequence[Data]
    occupants: Sequence[Data]
    views: Mapping[str, tuple[Sequence[Data], Sequence[Data]]]


@dataclass
class Record:
    """Everything there is to judge a run by."""

    people: list[Person] = field(default_factory=list[Person])
    endings: dict[str, Ending] = field(default_factory=dict[str, Ending])
    duplicates: int = 0
    """Acknowledgements that said `duplicate: true`."""

    @property
    def drafts(self) -> list[Draft]:
        return [draft for person in self.people for draft in person.drafts]

    @property
    def acked(self) -> int:
        return sum(draft.outcome == "acked" for draft in self.drafts)
