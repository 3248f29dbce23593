"""What is read: pages of history, who is in the room, and messages paged in to be judged.

The first two are answers, and change nothing.
"""

from __future__ import annotations

from roomkit.core.commands import DeleteMessage, EditMessage, GetHistory, GetUsers
from roomkit.core.effects import PageMessages
from roomkit.core.events import HistoryListed, RosterListed
from roomkit.core.history import Page
from roomkit.core.inputs import HostDelete, HostEdit, HostHistory, HostUsers
from roomkit.core.showing import occupancy
from roomkit.core.state import Batch, PagedIn, Paging, Served, Waiting
from roomkit.core.storage import After, Around, Before, MessagePage, PageQuery
from roomkit.core.turn import Turn
from roomkit.errors import ErrorCode, Refused

__all__ = ["get_history", "get_users", "page_in", "paged", "roster", "take_back_pages"]

_REVISIONS = (EditMessage, DeleteMessage, HostEdit, HostDelete)


def get_history(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Answer with a page from memory, or ask the archive for it."""
    command = waiting.command
    assert isinstance(command, GetHistory | HostHistory)
    query = _query(command)
    limit = _limit(turn, command.limit, turn.limits.history_page)
    page = served.history.page(query, limit, turn.limits.page_bytes)
    if page is not None:
        turn.finish(served, waiting, _listed(served, waiting, page))
        return
    _ask_archive(turn, served, Paging(waiting, query, limit, served.history.saved))


def page_in(turn: Turn, served: Served, waiting: Waiting, seq: int) -> None:
    """Ask the archive for the message at a seq, which a command waits for; then judge it again."""
    _ask_archive(turn, served, Paging(waiting, Around(seq), 1, served.history.saved))


def take_back_pages(served: Served) -> None:
    """The room was loaded anew: what edits and deletes were paging in may be of another log."""
    for number, paging in list(served.pages.items()):
        if isinstance(paging.waiting.command, _REVISIONS):
            del served.pages[number]
            served.queue.appendleft(paging.waiting)
    for waiting in served.queue:
        waiting.paged = None


def paged(turn: Turn, served: Served, number: int, result: MessagePage | None) -> None:
    """Answer with what the archive gave, the newer messages laid over it."""
    paging = served.pages.pop(number, None)
    if paging is None:
        return
    turn.touch(served)
    history = served.history
    lost = result is not None and result.snapshot_seq < paging.saved
    if result is None or served.room is None or lost:
        refusal = Refused(ErrorCode.UNAVAILABLE, "history cannot be read just now: try again")
        turn.refuse(served, paging.waiting, refusal)
        return
    if result.snapshot_seq < history.floor:
        paging.saved = history.saved
        _ask_archive(turn, served, paging)
        return
    page = history.merge(paging.query, paging.limit, turn.limits.page_bytes, result)
    if isinstance(paging.waiting.command, _REVISIONS):
        found = next((one for one in page.messages if one.seq == paging.query.seq), None)
        paging.waiting.paged = PagedIn(found, history.saved)
        served.queue.appendleft(paging.waiting)
        return
    turn.finish(served, paging.waiting, _listed(served, paging.waiting, page))


def _ask_archive(turn: Turn, served: Served, paging: Paging) -> None:
    """Ask once more if, since asking, messages went from memory into the archive."""
    turn.state.pages += 1
    served.pages[turn.state.pages] = paging
    turn.emit(PageMessages(served.name, turn.state.pages, paging.query, paging.limit))


def get_users(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Answer with occupants, sorted by user_id."""
    command = waiting.command
    assert isinstance(command, GetUsers | HostUsers)
    limit = _limit(turn, command.limit, turn.limits.history_page_max)
    turn.finish(served, waiting, roster(served, waiting.ref, command.after, limit))


def roster(served: Served, ref: str | None, after: str | None, limit: int) -> RosterListed:
    """Return at most `limit` occupants whose `user_id` sorts after `after`."""
    room = served.room
    assert room is not None
    user_ids = sorted(user_id for user_id in room.roster if after is None or user_id > after)
    total, _ = occupancy(served)
    return RosterListed(
        served.name,
        ref,
        tuple([room.roster[user_id].view() for user_id in user_ids[:limit]]),
        total,
        truncated=not room.shown or len(user_ids) > limit,
    )


def _query(command: GetHistory | HostHistory) -> PageQuery:
    given = [
        query(seq)
        for query, seq in (
            (Before, command.before),
            (After, command.after),
            (Around, command.around),
        )
        if seq is not None
    ]
    if len(given) > 1:
        raise Refused(ErrorCode.BAD_ARGUMENT, "send only one of before, after and around")
    return given[0] if given else Before(2**53)


def _limit(turn: Turn, wanted: int | None, default: int) -> int:
    most = turn.limits.history_page_max
    limit = default if wanted is None else wanted
    if not 1 <= limit <= most:
        raise Refused(ErrorCode.BAD_ARGUMENT, f"limit must be from 1 to {most}, not {limit}")
    return limit


def _listed(served: Served, waiting: Waiting, page: Page) -> HistoryListed:
    return HistoryListed(
        served.name,
        waiting.ref,
        page.messages,
        page.has_before,
        page.has_after,
        page.complete,
    )
