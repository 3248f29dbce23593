"""Saving with an archive, and reading on in it below what the server keeps.

The archive is written first: what the server trims, the database has. Then the server saves, if no
other save has been begun meanwhile; what was written without that is written anew by the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING

from roomkit.core.storage import MessageRow, Snapshot
from roomkit.errors import StoreError
from roomkit.ids import Position, RoomId
from roomkit.stores.redis.keys import Keys
from roomkit.stores.redis.reading import Found
from roomkit.stores.redis.rows import rows_of
from roomkit.stores.redis.scripts import CLAIM
from roomkit.stores.redis.server import Argument
from roomkit.stores.redis.servers import Servers

if TYPE_CHECKING:
    from roomkit.stores.archive.archive import Given, SqlArchive

__all__ = ["NO_CLAIM", "OVERTAKEN", "more", "newest", "save"]

OVERTAKEN = 2
"""What a save answers whose claim is good no more."""

NO_CLAIM = ""
_ATTEMPTS = 5


async def save(
    archive: SqlArchive,
    servers: Servers,
    keys: Keys,
    room: RoomId,
    snapshot: Snapshot,
    messages: Sequence[MessageRow],
    finish: Callable[[str], Awaitable[int]],
) -> bool:
    """Write the archive, then have the server save; False if that is refused.

    Args:
        finish: has the server save under a claim; returns what the script does.

    Raises:
        StoreError: the archive or the server failed, or others saved the room all the time. The
            same save may be tried again.
    """
    for _ in range(_ATTEMPTS):
        token = token_hex(8)
        written = await archive.claim(room, token)
        given = await _given(servers, keys, room, token, snapshot, messages, written)
        if given is None:
            return False
        if await archive.write(room, token, given):
            answer = await finish(token)
            if answer != OVERTAKEN:
                return bool(answer)
    raise StoreError(f"other nodes save {room!r} at the same time: it will be tried again")


async def _given(
    servers: Servers,
    keys: Keys,
    room: RoomId,
    token: str,
    snapshot: Snapshot,
    messages: Sequence[MessageRow],
    written: Position,
) -> Given | None:
    """Claim the room in the server; return what to write, or None if the save is refused."""
    from roomkit.stores.archive.archive import Given  # an extra

    position = snapshot.position
    names = [keys.head(room), keys.log(room)]
    arguments: list[Argument] = [position.seq, position.link, snapshot.format, token]
    (answer,), _ = await servers.ask(
        keys.head(room), lambda server: server.run(CLAIM, [(names, arguments)])
    )
    if isinstance(answer, Exception):
        servers.doubt()
        raise StoreError(f"the server refused to save {room!r}: {answer}") from answer
    if not answer:
        return None
    seq, link, removed = answer
    rows = [row for row in messages if row.seq <= position.seq]
    if written == Position(int(seq), link.decode()):
        return Given(position, rows)
    # The archive is new, a save was not finished, or the server has lost something: what the
    # server has is the truth, and what it has removed is in the archive if that once went so far.
    there = rows_of(
        await servers.ask(
            keys.head(room), lambda server: server.call("ZRANGE", keys.messages(room), 0, -1)
        )
    )
    kept = [row for row in there if row.seq <= int(seq)]
    if not removed:
        return Given(position, [*kept, *rows], lost_above=0, whole=True)
    lost_above = kept[0].seq - 1 if kept else int(seq)
    whole = None if written.seq >= lost_above else False
    return Given(position, [*kept, *rows], lost_above, whole)


async def more(
    archive: SqlArchive, room: RoomId, found: Found, split: int, sides: tuple[int, int]
) -> Found:
    """Add from the archive what a page asks for and the server has no more.

    While the archive is away, a page has what the server has, and is not complete.
    """
    below = sides[0] + 1 - len(found.older)
    above = sides[1] + 1 if split < found.oldest else 0
    if not found.removed or (below < 1 and above < 1):
        return found
    try:
        rest = await archive.below(room, split, found.oldest, max(0, below), above)
    except StoreError:
        return found
    return found._replace(
        older=[*rest.older, *found.older],
        newer=[*rest.newer, *found.newer][: sides[1] + 1],
        removed=not rest.whole,
    )


async def newest(
    archive: SqlArchive, room: RoomId, messages: Sequence[MessageRow], many: int
) -> tuple[MessageRow, ...]:
    """Return the newest messages, for a server that keeps fewer than so many.

    Raises:
        StoreError: the archive failed.
    """
    if not messages or len(messages) >= many:
        return tuple(messages)
    oldest = messages[0].seq
    rest = await archive.below(room, oldest, oldest, many - len(messages), 0)
    return (*rest.older, *messages)
