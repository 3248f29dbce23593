"""Pages of messages, from memory and from the archive, against a plain list of all messages."""

from collections import deque
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from roomkit.core.history import History, Page, decode_rows, encode_rows
from roomkit.core.storage import After, Around, Before, MessagePage, MessageRow, PageQuery
from roomkit.core.views import Message
from roomkit.ids import UserId

PLENTY = 1_000_000
WINDOW = 3


def message(seq: int, text: str = "hello") -> Message:
    return Message(seq, f"{seq:016x}", 0, UserId("u-alice"), "alice", text)


@dataclass
class Split:
    """All messages of a room, some only archived, some only in memory, most likely some in both.

    `saved` is the seq of the kept snapshot; `loaded`: the node loaded the room rather than seeing
    every message pass.
    """

    seqs: list[int]
    saved: int
    loaded: bool

    @property
    def everything(self) -> list[Message]:
        return [message(seq) for seq in self.seqs]

    @property
    def rows(self) -> list[MessageRow]:
        whole = History()
        for one in self.everything:
            whole.add(one, PLENTY)
        return list(encode_rows(whole.changed(self.saved)))

    def history(self) -> History:
        history = History()
        if self.loaded:
            newest = decode_rows(self.rows[-WINDOW:])
            floor = newest[0].seq - 1 if newest else self.saved
            history = History(deque(newest), floor, self.saved)
        for one in self.everything:
            if not self.loaded or one.seq > self.saved:
                history.add(one, WINDOW)
        history.kept(self.saved, WINDOW)
        return history

    def archive(self, query: PageQuery, limit: int) -> MessagePage:
        """What a store answers, by the contract."""
        rows = self.rows
        if isinstance(query, Before):
            chosen = [row for row in rows if row.seq < query.seq][-limit:]
            low = sum(row.seq < query.seq for row in rows) - len(chosen)
        elif isinstance(query, After):
            chosen = [row for row in rows if row.seq > query.seq][:limit]
            low = sum(row.seq <= query.seq for row in rows)
        else:
            below = [row for row in rows if row.seq < query.seq]
            low = max(0, len(below) - limit // 2)
            chosen = rows[low : len(below) + limit - limit // 2]
        return MessagePage(
            tuple(chosen), self.saved, low > 0, low + len(chosen) < len(rows), complete=True
        )

    def plain(self, query: PageQuery, limit: int) -> Page:
        """The page, from the plain list."""
        everything = self.everything
        if isinstance(query, After):
            split = sum(one.seq <= query.seq for one in everything)
            low, high = split, split + limit
        else:
            split = sum(one.seq < query.seq for one in everything)
            older = limit if isinstance(query, Before) else limit // 2
            low, high = max(0, split - older), split + limit - older
        return Page(tuple(everything[low:high]), low > 0, high < len(everything))


queries = st.one_of(
    st.builds(Before, st.one_of(st.integers(0, 32), st.just(2**53))),
    st.builds(After, st.integers(0, 32)),
    st.builds(Around, st.integers(0, 32)),
)


@st.composite
def splits(draw: st.DrawFn) -> Split:
    seqs = sorted(draw(st.sets(st.integers(1, 30), max_size=20)))
    return Split(seqs, draw(st.integers(0, 30)), draw(st.booleans()))


@given(splits(), queries, st.integers(1, 12))
def test_a_page_is_that_of_the_whole_list_however_it_is_split(
    split: Split, query: PageQuery, limit: int
) -> None:
    history = split.history()
    page = history.page(query, limit, PLENTY)
    if page is None:
        page = history.merge(query, limit, PLENTY, split.archive(query, limit))
    assert page == split.plain(query, limit)


@given(splits(), queries, st.integers(1, 12))
def test_the_archive_and_what_lies_over_it_make_the_same_page(
    split: Split, query: PageQuery, limit: int
) -> None:
    """Whether or not it was necessary to ask."""
    page = split.history().merge(query, limit, PLENTY, split.archive(query, limit))
    assert page == split.plain(query, limit)


@given(splits(), st.integers(0, 5))
def test_the_newest_are_at_hand(split: Split, count: int) -> None:
    """As many as the window holds."""
    newest = split.history().newest(min(count, WINDOW))
    wanted = min(count, WINDOW)
    assert newest == tuple(split.everything[len(split.seqs) - min(wanted, len(split.seqs)) :])


@given(splits(), st.integers(0, 40))
def test_what_changed_is_what_lies_between_two_snapshots(split: Split, up_to: int) -> None:
    changed = split.history().changed(up_to)
    rows = encode_rows(changed)
    between = [one for one in split.everything if split.saved < one.seq <= up_to]
    assert list(changed) == decode_rows(rows) == between
    assert [row.seq for row in rows] == [one.seq for one in between]


def test_memory_lets_go_of_what_the_archive_has_beyond_the_window() -> None:
    history = History()
    for seq in range(1, 9):
        history.add(message(seq), WINDOW)
    assert [one.seq for one in history.messages] == list(range(1, 9))
    history.kept(4, WINDOW)
    assert ([one.seq for one in history.messages], history.floor) == ([5, 6, 7, 8], 4)
    history.kept(3, WINDOW)
    assert history.saved == 4
    history.kept(8, WINDOW)
    assert ([one.seq for one in history.messages], history.floor) == ([6, 7, 8], 5)


def sized(count: int, most_bytes: int) -> tuple[History, list[Message]]:
    history, messages = History(), [message(seq, "x" * 100) for seq in range(1, count + 1)]
    for one in messages:
        history.add(one, PLENTY)
    return history, messages


@given(queries, st.integers(1, 30), st.integers(0, 20_000))
def test_a_page_that_is_too_large_loses_what_is_farthest(
    query: PageQuery, limit: int, most_bytes: int
) -> None:
    """It is part of the page without a bound, around the same point, and says what it left out."""
    history, messages = sized(30, most_bytes)
    whole = history.page(query, limit, PLENTY)
    page = history.page(query, limit, most_bytes)
    assert whole is not None and page is not None
    if not whole.messages:
        assert page == whole
        return
    first = page.messages[0].seq
    last = page.messages[-1].seq
    assert list(page.messages) == messages[first - 1 : last]
    assert set(page.messages) <= set(whole.messages)
    assert (page.has_before, page.has_after) == (
        whole.has_before or first > whole.messages[0].seq,
        whole.has_after or last < whole.messages[-1].seq,
    )
    if isinstance(query, Before):
        assert last == whole.messages[-1].seq
    elif isinstance(query, After):
        assert first == whole.messages[0].seq
    reckoned = len(page.messages) * (300 + 2 * 130)
    assert reckoned <= most_bytes or len(page.messages) <= 2


def test_what_retention_removed_is_told() -> None:
    history = History(floor=9, saved=9)
    archived = MessagePage((), 9, has_before=False, has_after=False, complete=False)
    page = history.merge(Before(5), 10, PLENTY, archived)
    assert page == Page((), has_before=False, has_after=False, complete=False)
