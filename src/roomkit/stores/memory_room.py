"""One room in memory: its log, its fence, nonces and keys, its snapshot and its archived messages.

Everything here is plain and immediate: no call waits, and a call that raises has changed nothing.
Which handles share a room, and who is told of what, is `memory.py`'s business.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from secrets import token_hex

from roomkit.core.effects import Append
from roomkit.core.storage import (
    After,
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
from roomkit.ids import NodeId, Position, chain_link
from roomkit.limits import Limits
from roomkit.stores.paging import fitting, wanted

__all__ = ["NONCE_MS", "MemoryRoom"]

NONCE_MS = 24 * 3_600_000
"""How long the last nonce of a node is remembered."""

_KEYS_FORGOTTEN = 64  # by one append, beyond as many as it can add: no append makes a long pause

_BEHIND = Behind()


class MemoryRoom:
    """A room's log and archive.

    Once something was appended the log is never empty: trimming keeps the entry the snapshot stands
    at. The archive never reaches past the snapshot.

    Args:
        limits: of these `idempotency_ms`, `log_entries`, `log_age_ms`, `history_window` and
            `page_bytes` are used.
        messages: how many archived messages are kept, the newest.

    Attributes:
        tip_seq: seq of the newest entry, 0 before the first.
        last_at: when it was stored.
    """

    def __init__(self, limits: Limits, messages: int) -> None:
        self._limits = limits
        self._messages = messages
        self.tip_seq = 0
        self.last_at = 0
        self._log: list[Entry] = []
        self._fence = ""
        self._nonces: dict[NodeId, tuple[int, int, Stored]] = {}  # counter, stored at, answer
        self._keys: dict[str, Known] = {}
        self._aging: deque[tuple[str, Known]] = deque()  # the same keys, oldest first
        self._snapshot: Snapshot | None = None
        self._rows: list[MessageRow] = []
        self._removed = False  # whether retention has removed any row

    def tip(self) -> Tip:
        last = self._log[-1]
        return Tip(last.seq, last.link, self._snapshot_seq())

    # ------------------------------------------------------------------------------------- the log

    def append(self, append: Append, now: int) -> Outcome:
        """Store the facts whole or refuse them whole, as the contract orders the checks."""
        nonce = append.nonce
        node, counter = nonce.node, nonce.counter
        last = self._nonces.get(node)
        if last is not None and now - last[1] < NONCE_MS:
            if counter == last[0]:
                return last[2]
            if counter < last[0]:
                return _BEHIND
        if append.fence != self._fence or not self._holds(append.after):
            return _BEHIND
        outcome = self._store(append, now)
        if last is None:
            self._forget_nonces(now)
        self._nonces[node] = (counter, now, outcome)
        return outcome

    def _store(self, append: Append, now: int) -> Stored:
        log, keys, seq = self._log, self._keys, self.tip_seq
        at = max(now, self.last_at)
        prev = log[-1].link if log else token_hex(8)
        facts, expired = append.facts, now - self._limits.idempotency_ms
        if self._aging and self._aging[0][1].at <= expired:
            self._forget_keys(expired, len(facts) + _KEYS_FORGOTTEN)
        control = len(facts) - 1 if append.control else -1
        items: list[Entry | Known] = []
        added: list[Entry] = []
        named: dict[str, Known] = {}
        for index, item in enumerate(facts):
            key, fact = item.key, item.fact
            if key is not None:
                known = named.get(key) or keys.get(key)
                if known is not None and known.at > expired:
                    items.append(known)
                    continue
            seq += 1
            link = chain_link(prev, at, fact)
            entry = Entry(seq, at, prev, link, fact, index == control)
            items.append(entry)
            added.append(entry)
            prev = link
            if key is not None:
                named[key] = Known(seq, link, at)
        if added:
            log += added
            self.tip_seq, self.last_at = seq, at
            if added[-1].control:
                self._fence = prev
        if named:
            keys.update(named)
            self._aging.extend(named.items())
        return Stored(tuple(items))

    def _forget_keys(self, expired: int, most: int) -> None:
        aging, keys = self._aging, self._keys
        for _ in range(most):
            if not aging or aging[0][1].at > expired:
                return
            key, known = aging.popleft()
            if keys.get(key) is known:  # else it was used again since, and that use is younger
                del keys[key]

    def _forget_nonces(self, now: int) -> None:
        for node in [node for node, last in self._nonces.items() if now - last[1] >= NONCE_MS]:
            del self._nonces[node]

    def after(self, seq: int, limit: int | None = None) -> tuple[Entry, ...]:
        """Return the kept entries above `seq`, at most `limit`, oldest first."""
        if not self._log:
            return ()
        start = max(0, seq + 1 - self._log[0].seq)
        return tuple(self._log[start:] if limit is None else self._log[start : start + limit])

    def read(self, after: int, limit: int) -> LogSlice:
        return LogSlice(
            at=self._entry(after),
            entries=self.after(after, limit),
            tip=self.tip(),
            first_seq=self._log[0].seq,
        )

    def _holds(self, position: Position | None) -> bool:
        """Tell whether the log has an entry; there is none to miss if none is named."""
        if position is None:
            return True
        entry = self._entry(position.seq) if self._log else None
        return entry is not None and entry.link == position.link

    def _entry(self, seq: int) -> Entry | None:
        index = seq - self._log[0].seq
        return self._log[index] if 0 <= index < len(self._log) else None

    # ----------------------------------------------------------------- the snapshot and the archive

    def load(self) -> RoomRecord:
        return RoomRecord(
            snapshot=self._snapshot,
            entries=self.after(self._snapshot_seq()),
            messages=tuple(self._rows[-self._limits.history_window :]),
        )

    def save(self, snapshot: Snapshot, messages: Sequence[MessageRow], now: int) -> bool:
        """Keep the snapshot and archive the messages, or refuse and do nothing."""
        position, kept = snapshot.position, self._snapshot
        entry = self._entry(position.seq)
        if entry is None or entry.link != position.link:
            return False
        if kept is not None:
            if position.seq <= kept.position.seq or kept.format > snapshot.format:
                return False
        self._archive(messages, position.seq)
        self._snapshot = snapshot
        self._trim(now)
        return True

    def _archive(self, messages: Sequence[MessageRow], upto: int) -> None:
        kept = self._snapshot_seq()
        given = {row.seq: row for row in messages if row.seq <= upto}
        for seq in sorted(given):
            if seq > kept:
                self._rows.append(given[seq])
                continue
            index = bisect_left(self._rows, seq, key=_row_seq)
            found = index < len(self._rows) and self._rows[index].seq == seq
            self._rows[index : index + found] = [given[seq]]
        surplus = len(self._rows) - self._messages
        if surplus > 0:
            del self._rows[:surplus]
            self._removed = True

    def _trim(self, now: int) -> None:
        log = self._log
        over_count = len(log) - self._limits.log_entries
        over_age = bisect_left(log, now - self._limits.log_age_ms, key=_entry_at)
        up_to_snapshot = self._snapshot_seq() - log[0].seq
        del log[: max(0, min(max(over_count, over_age), up_to_snapshot))]

    def page(self, query: PageQuery, limit: int) -> MessagePage:
        """Return a page of the archive; its bodies together are at most `page_bytes`.

        What does not fit is cut where it is farthest from the seq asked about. One row always fits.
        """
        rows = self._rows
        find = bisect_right if isinstance(query, After) else bisect_left
        start = find(rows, query.seq, key=_row_seq)
        low, high = fitting(rows, start, wanted(query, limit), self._limits.page_bytes)
        return MessagePage(
            rows=tuple(rows[low:high]),
            snapshot_seq=self._snapshot_seq(),
            has_before=low > 0,
            has_after=high < len(rows),
            complete=low > 0 or not self._removed,
        )

    def _snapshot_seq(self) -> int:
        return self._snapshot.position.seq if self._snapshot is not None else 0


def _row_seq(row: MessageRow) -> int:
    return row.seq


def _entry_at(entry: Entry) -> int:
    return entry.at
