"""The messages of a room that a node holds in memory, and pages cut from them and the archive.

Here are all messages above `floor`: the newest ones (the window) and every one the kept snapshot
does not cover yet (the overlay on the archive). What is older comes from the store, a page at a
time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from roomkit.core.events import Message
from roomkit.core.storage import After, Around, Before, MessagePage, MessageRow, PageQuery

__all__ = ["History", "Page", "decode_rows", "encode_rows"]

_decoder = msgspec.msgpack.Decoder(Message)
_encoder = msgspec.msgpack.Encoder()

_FRAME_OVERHEAD = 300
_ESCAPING = 2
"""A message is reckoned at twice its packed size and 300 bytes.

Room for JSON's names and escapes.
"""


class Page(msgspec.Struct, frozen=True):
    """Messages, oldest first, and what is known of those around them."""

    messages: tuple[Message, ...]
    has_before: bool
    has_after: bool
    complete: bool = True


def encode_rows(messages: Iterable[Message]) -> tuple[MessageRow, ...]:
    """Return messages as the archive keeps them."""
    return tuple([MessageRow(one.seq, _encoder.encode(one)) for one in messages])


def decode_rows(rows: Iterable[MessageRow]) -> list[Message]:
    """Return the messages that `History.rows` encoded."""
    return [_decoder.decode(row.body) for row in rows]


@dataclass(slots=True)
class History:
    """Messages in memory.

    Attributes:
        messages: oldest first, every one of the room with a seq above `floor`.
        floor: 0 if nothing is missing.
        saved: seq of the kept snapshot; the archive covers everything up to it.
        revised: messages edited or deleted since then by their seq, each with the seq of the entry
            that did it. They are laid over what the archive has.
    """

    messages: deque[Message] = field(default_factory=deque[Message])
    floor: int = 0
    saved: int = 0
    revised: dict[int, tuple[int, Message]] = field(default_factory=dict[int, tuple[int, Message]])

    def add(self, message: Message, window: int) -> None:
        """Take the newest message, letting go of those the archive has beyond the window."""
        held = self.messages
        held.append(message)
        if len(held) > window and held[0].seq <= self.saved:
            self._trim(window)

    def revise(self, message: Message, entry_seq: int) -> None:
        """Take the new form of a message, from the entry at `entry_seq`."""
        self.revised[message.seq] = (entry_seq, message)
        for index in range(len(self.messages) - 1, -1, -1):
            held = self.messages[index]
            if held.seq <= message.seq:
                if held.seq == message.seq:
                    self.messages[index] = message
                return

    def holds(self, seq: int) -> bool:
        """Tell whether everything there is to know of the message at `seq` is in memory."""
        return seq > self.floor or seq in self.revised

    def find(self, seq: int) -> Message | None:
        """Return the message at `seq`, None if there is none in memory."""
        if seq in self.revised:
            return self.revised[seq][1]
        return next((held for held in reversed(self.messages) if held.seq == seq), None)

    def kept(self, seq: int, window: int) -> None:
        """Note that the store keeps a snapshot at `seq`."""
        if seq > self.saved:
            self.saved = seq
            self.revised = {at: one for at, one in self.revised.items() if one[0] > seq}
            self._trim(window)

    def changed(self, up_to: int) -> tuple[Message, ...]:
        """Return the messages up to a seq that are new or revised since the kept snapshot."""
        changed: dict[int, Message] = {}
        for one in self.messages:
            if one.seq > up_to:
                break
            if one.seq > self.saved:
                changed[one.seq] = one
        for seq, (_, message) in self.revised.items():
            if seq <= up_to:
                changed[seq] = message
        return tuple([changed[seq] for seq in sorted(changed)])

    def newest(self, count: int) -> tuple[Message, ...]:
        """Return at most `count` of the newest messages, oldest first."""
        held = self.messages
        return tuple(held[index] for index in range(max(0, len(held) - count), len(held)))

    def page(self, query: PageQuery, limit: int, most_bytes: int) -> Page | None:
        """Return a page of at most `most_bytes`, or None if the archive has to be asked."""
        older, newer = _split(list(self.messages), query)
        want_older, want_newer = _shares(query, limit)
        reaches = bool(older) if isinstance(query, After) else len(older) > want_older
        if self.floor and not reaches:
            return None
        return _cut(older, newer, want_older, want_newer, most_bytes)

    def merge(self, query: PageQuery, limit: int, most_bytes: int, archived: MessagePage) -> Page:
        """Return a page from archived rows, the messages since their snapshot laid over them."""
        rows = [self.newest_form(message) for message in decode_rows(archived.rows)]
        overlay = [message for message in self.messages if message.seq > archived.snapshot_seq]
        rows_older, rows_newer = _split(rows, query)
        held_older, held_newer = _split(overlay, query)
        page = _cut(
            rows_older + held_older,
            rows_newer if archived.has_after else rows_newer + held_newer,
            *_shares(query, limit),
            most_bytes,
        )
        return Page(
            messages=page.messages,
            has_before=page.has_before or archived.has_before,
            has_after=page.has_after or archived.has_after,
            complete=archived.complete,
        )

    def newest_form(self, message: Message) -> Message:
        """Return what became of a message of the archive, as far as is known here."""
        _, revised = self.revised.get(message.seq, (0, message))
        return revised if revised.version > message.version else message

    def _trim(self, window: int) -> None:
        held = self.messages
        while len(held) > window and held[0].seq <= self.saved:
            self.floor = held.popleft().seq


def _shares(query: PageQuery, limit: int) -> tuple[int, int]:
    """How many messages a page takes below and at or above its point."""
    if isinstance(query, Before):
        return limit, 0
    if isinstance(query, After):
        return 0, limit
    return limit // 2, limit - limit // 2


def _split(messages: Sequence[Message], query: PageQuery) -> tuple[list[Message], list[Message]]:
    """Divide messages at the query's point: Around takes its own seq into the newer part."""
    first_newer = query.seq if isinstance(query, Before | Around) else query.seq + 1
    older = [message for message in messages if message.seq < first_newer]
    return older, list(messages[len(older) :])


def _cut(
    older: list[Message],
    newer: list[Message],
    want_older: int,
    want_newer: int,
    most_bytes: int,
) -> Page:
    """Take what is wanted nearest the point, and of that what fits, dropping the farthest first."""
    below = older[-want_older:] if want_older else []
    above = newer[:want_newer]
    below_bytes = most_bytes if not above else most_bytes // 2
    below = _fitting(below[::-1], below_bytes)[::-1]
    above = _fitting(above, most_bytes if not below else most_bytes - below_bytes)
    return Page(
        messages=(*below, *above),
        has_before=len(below) < len(older),
        has_after=len(above) < len(newer),
    )


def _fitting(messages: list[Message], most_bytes: int) -> list[Message]:
    """Return the first of these that fit, at least one so that paging always gets on."""
    total = 0
    for index, message in enumerate(messages):
        total += _FRAME_OVERHEAD + _ESCAPING * len(_encoder.encode(message))
        if total > most_bytes and index:
            return messages[:index]
    return messages
