"""The contract once more, in the plainest words: lists searched from end to end, nothing clever.

The suite compares a store with this after any history. It must stay so simple that it can be
checked against the contract by reading.
"""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core.effects import Append
from roomkit.core.storage import (
    After,
    Around,
    Before,
    Behind,
    Entry,
    Known,
    LogSlice,
    MessagePage,
    MessageRow,
    Outcome,
    PageQuery,
    RoomRecord,
    Snapshot,
    Stored,
    Tip,
)
from roomkit.ids import NodeId, chain_link
from roomkit.limits import Limits

__all__ = ["ModelRoom"]


class ModelRoom:
    """What one room must be after what was done to it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.written: list[Entry] = []
        self.first_seq = 0
        self.answers: dict[tuple[NodeId, int], Stored] = {}
        self.keys: dict[str, Known] = {}
        self.snapshot: Snapshot | None = None
        self.rows: dict[int, MessageRow] = {}

    @property
    def fence(self) -> str:
        controls = [entry.link for entry in self.written if entry.control]
        return controls[-1] if controls else ""

    @property
    def snapshot_seq(self) -> int:
        return self.snapshot.position.seq if self.snapshot else 0

    @property
    def kept(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.written if entry.seq >= self.first_seq)

    @property
    def tip(self) -> Tip:
        if not self.written:
            return Tip(0, "", 0)
        return Tip(self.written[-1].seq, self.written[-1].link, self.snapshot_seq)

    def append(self, append: Append, now: int, first_prev: str) -> Outcome:
        """`first_prev` is the one thing no model can know: what the store drew for seq 1."""
        node, counter = append.nonce.node, append.nonce.counter
        last = max((number for name, number in self.answers if name == node), default=0)
        if counter == last:
            return self.answers[node, counter]
        if counter < last or append.fence != self.fence:
            return Behind()
        if append.after is not None and append.after not in [one.position for one in self.kept]:
            return Behind()
        items: list[Entry | Known] = []
        for number, item in enumerate(append.facts, 1):
            known = self.keys.get(item.key or "")
            if known is not None and known.at > now - self.limits.idempotency_ms:
                items.append(known)
                continue
            seq = len(self.written) + 1
            at = max([now, *(entry.at for entry in self.written)])
            prev = self.written[-1].link if self.written else first_prev
            link = chain_link(prev, at, item.fact)
            control = append.control and number == len(append.facts)
            entry = Entry(seq, at, prev, link, item.fact, control)
            self.written.append(entry)
            items.append(entry)
            if item.key is not None:
                self.keys[item.key] = Known(seq, link, at)
        self.first_seq = self.first_seq or 1
        self.answers[node, counter] = Stored(tuple(items))
        return self.answers[node, counter]

    def read(self, after: int, limit: int) -> LogSlice:
        at = [entry for entry in self.kept if entry.seq == after]
        entries = [entry for entry in self.kept if entry.seq > after]
        return LogSlice(at[0] if at else None, tuple(entries[:limit]), self.tip, self.first_seq)

    def load(self) -> RoomRecord:
        return RoomRecord(
            self.snapshot,
            tuple(entry for entry in self.kept if entry.seq > self.snapshot_seq),
            tuple(self.archived()[-self.limits.history_window :]),
        )

    def save(self, snapshot: Snapshot, messages: Sequence[MessageRow], now: int) -> bool:
        kept = self.snapshot
        if snapshot.position not in [entry.position for entry in self.kept]:
            return False
        if kept and (snapshot.position.seq <= kept.position.seq or snapshot.format < kept.format):
            return False
        for seq in range(self.snapshot_seq + 1, snapshot.position.seq + 1):
            self.rows.pop(seq, None)
        self.rows.update({row.seq: row for row in messages})
        self.snapshot = snapshot
        for entry in self.kept:
            old = entry.at < now - self.limits.log_age_ms
            many = entry.seq <= len(self.written) - self.limits.log_entries
            if (old or many) and entry.seq < snapshot.position.seq:
                self.first_seq = entry.seq + 1
        return True

    def archived(self) -> list[MessageRow]:
        return [row for seq, row in sorted(self.rows.items()) if seq <= self.snapshot_seq]

    def page(self, query: PageQuery, limit: int) -> MessagePage:
        """Take the nearest rows on each side of the seq asked about, and look at what is left."""
        split = query.seq + 1 if isinstance(query, After) else query.seq
        below = [row for row in self.archived() if row.seq < split]
        above = [row for row in self.archived() if row.seq >= split]
        wanted_below = {Before: limit, After: 0, Around: limit // 2}[type(query)]
        left_below = max(0, len(below) - wanted_below)
        wanted_above = {Before: 0, After: limit, Around: limit - limit // 2}[type(query)]
        return MessagePage(
            rows=tuple(below[left_below:] + above[:wanted_above]),
            snapshot_seq=self.snapshot_seq,
            has_before=left_below > 0,
            has_after=len(above) > wanted_above,
            complete=True,
        )
