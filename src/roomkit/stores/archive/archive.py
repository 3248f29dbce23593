"""The archive a `RedisStore` is given: what it writes before it saves, and reads below its rows.

Whoever saves claims the room first. A claim is good until the next one, here and in the server, so
that of two nodes which save a room at once only one has both say yes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio

from roomkit.core.storage import MessageRow
from roomkit.ids import ORIGIN, Position, RoomId
from roomkit.stores.archive.database import Connection, Database
from roomkit.stores.archive.schema import Tables

__all__ = ["Below", "Given", "SqlArchive"]

_CLAIM = """
INSERT INTO {rooms} (room, claim) VALUES (%s, %s)
ON CONFLICT (room) DO UPDATE SET claim = EXCLUDED.claim RETURNING seq, link
"""
_LOCK = "SELECT claim FROM {rooms} WHERE room = %s FOR UPDATE"
_SET_ASIDE = """
WITH lost AS (DELETE FROM {messages} WHERE room = %s AND seq > %s RETURNING room, seq, body)
INSERT INTO {former} (room, seq, body) SELECT room, seq, body FROM lost
"""
_UPSERT = """
INSERT INTO {messages} (room, seq, body)
SELECT %s, given.seq, given.body FROM unnest(%s::bigint[], %s::bytea[]) AS given (seq, body)
ON CONFLICT (room, seq) DO UPDATE SET body = EXCLUDED.body
"""
_NOT_LOST = """
DELETE FROM {former} AS aside USING {messages} AS there
WHERE aside.room = %s AND there.room = aside.room AND there.seq = aside.seq
    AND there.body = aside.body
"""
_MOVE = "UPDATE {rooms} SET seq = %s, link = %s, whole = coalesce(%s, whole) WHERE room = %s"
_BELOW = """
SELECT seq, body FROM (
    (SELECT seq, body FROM {messages} WHERE room = %(room)s AND seq < least(%(split)s, %(end)s)
     ORDER BY seq DESC LIMIT %(older)s)
    UNION ALL
    (SELECT seq, body FROM {messages} WHERE room = %(room)s AND seq >= %(split)s AND seq < %(end)s
     ORDER BY seq LIMIT %(newer)s)
) AS found ORDER BY seq
"""
_WHOLE = "SELECT whole FROM {rooms} WHERE room = %s"


class Given(NamedTuple):
    """What one save is to write.

    Attributes:
        position: where the new snapshot stands.
        rows: in final form, none above `position`; of two with one seq the later one counts.
        lost_above: what the archive has above this seq is no longer true, or None.
        whole: whether the archive has all that the server has not; None if nothing changed in that.
    """

    position: Position
    rows: Sequence[MessageRow]
    lost_above: int | None = None
    whole: bool | None = None


class Below(NamedTuple):
    """Rows below those of the server, oldest first.

    Attributes:
        older: below the seq asked about.
        newer: from it on.
        whole: nothing is missing below the server's rows.
    """

    older: tuple[MessageRow, ...]
    newer: tuple[MessageRow, ...]
    whole: bool


class SqlArchive:
    """Keeps the messages of rooms for ever, in a PostgreSQL database. On asyncio.

    Give it to a `RedisStore`, each store one of its own. It makes its tables at the first use.

    Args:
        url: `postgresql://user:password@host:5432/database`, with options as libpq has them
            (`?sslmode=verify-full`).
        prefix: what the names of its tables begin with, 1 to 40 ASCII characters; one for each
            service in a database.

    Raises:
        ValueError: an argument is not one of these. A URL is never quoted, here or in any error:
            it may hold a password.
    """

    def __init__(self, url: str, *, prefix: str = "roomkit") -> None:
        if not re.fullmatch(r"[!#$&-~]{1,40}", prefix):
            raise ValueError(
                "an archive's prefix must be 1 to 40 ASCII characters, no blank, quote or %, "
                f"not {prefix!r}"
            )
        self._url = url
        self._prefix = prefix
        self._database = Database(url)
        self._tables = Tables(prefix)

    def another(self) -> SqlArchive:
        """Return a second handle on the same archive."""
        return SqlArchive(self._url, prefix=self._prefix)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Connect, and make the tables unless they are there.

        Raises:
            StoreError: the database cannot be reached, does not let us, or holds the tables of a
                newer roomkit. Each says what to do.
        """
        try:
            await self._database.run(self._tables.make)
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self._database.close()

    async def claim(self, room: RoomId, token: str) -> Position:
        """Claim a room for one save; return up to where the archive was written last.

        Raises:
            StoreError: the database failed.
        """
        statement = self._tables.named(_CLAIM)

        async def claim(connection: Connection) -> Position:
            row = await (await connection.execute(statement, (room, token))).fetchone()
            return ORIGIN if row is None else Position(*row)

        return await self._database.run(claim)

    async def write(self, room: RoomId, token: str, given: Given) -> bool:
        """Write what a save gives, all of it or nothing; False if the claim is good no more.

        Doing it twice comes to the same as doing it once.

        Raises:
            StoreError: nobody knows whether it was done.
        """
        named = self._tables.named
        latest = {row.seq: row.body for row in given.rows}
        moved = (given.position.seq, given.position.link, given.whole, room)

        async def write(connection: Connection) -> bool:
            held = await (await connection.execute(named(_LOCK), (room,))).fetchone()
            if held != (token,):
                return False
            if given.lost_above is not None:
                await connection.execute(named(_SET_ASIDE), (room, given.lost_above))
            await connection.execute(named(_UPSERT), (room, [*latest], [*latest.values()]))
            if given.lost_above is not None:
                await connection.execute(named(_NOT_LOST), (room,))
            await connection.execute(named(_MOVE), moved)
            return True

        return await self._database.run(write)

    async def below(self, room: RoomId, split: int, end: int, older: int, newer: int) -> Below:
        """Return rows on both sides of a seq, none from `end` on: those the server has.

        Args:
            split: the seq that parts older from newer.
            older: how many below it at most.
            newer: how many from it on at most.

        Raises:
            StoreError: the database failed.
        """
        asked = {"room": room, "split": split, "end": end, "older": older, "newer": newer}
        named = self._tables.named

        async def below(connection: Connection) -> Below:
            found = await (await connection.execute(named(_BELOW), asked)).fetchall()
            whole = await (await connection.execute(named(_WHOLE), (room,))).fetchone()
            rows = [MessageRow(seq, bytes(body)) for seq, body in found]
            return Below(
                older=tuple([row for row in rows if row.seq < split]),
                newer=tuple([row for row in rows if row.seq >= split]),
                whole=whole == (True,),
            )

        return await self._database.run(below)
