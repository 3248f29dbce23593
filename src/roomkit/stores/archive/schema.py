"""The tables of an archive, made at its first use by whichever node comes first.

`<prefix>_messages` has the messages a client may read, `<prefix>_former` what was archived and then
lost by the server, shown nowhere; both are made to be read by others too. `<prefix>_rooms` has what
is known of each room, `<prefix>_schema` the version of all this.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg.sql import SQL, Composed, Identifier, Literal

from roomkit.errors import StoreError
from roomkit.stores.archive.database import Connection

__all__ = ["VERSION", "Tables"]

VERSION = 1
_LOCK = 0x726F6F6D6B6974  # "roomkit": the first use of an archive is one node's at a time

_CREATE = """
CREATE TABLE {schema} (version integer NOT NULL);
INSERT INTO {schema} VALUES ({version});
CREATE TABLE {rooms} (
    room text COLLATE "C" PRIMARY KEY,
    claim text NOT NULL,
    seq bigint NOT NULL DEFAULT 0,
    link text NOT NULL DEFAULT '',
    whole boolean NOT NULL DEFAULT true
);
CREATE TABLE {messages} (
    room text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (room, seq)
);
CREATE TABLE {former} (
    room text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    body bytea NOT NULL,
    lost timestamptz NOT NULL DEFAULT now()
);
"""


class Tables:
    """The tables of one prefix.

    Args:
        prefix: what their names begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._names = {
            name: Identifier(f"{prefix}_{name}")
            for name in ("schema", "rooms", "messages", "former")
        }
        self._schema = Literal(f'"{prefix}_schema"')

    def named(self, statement: LiteralString) -> Composed:
        """Return a statement with the names of the tables put in."""
        return SQL(statement).format(**self._names)

    async def make(self, connection: Connection) -> None:
        """Make the tables unless they are there.

        Raises:
            StoreError: they are of a newer roomkit.
        """
        await connection.execute(SQL("SELECT pg_advisory_xact_lock({})").format(Literal(_LOCK)))
        found = await connection.execute(SQL("SELECT to_regclass({})").format(self._schema))
        if await found.fetchone() == (None,):
            create = SQL(_CREATE).format(**self._names, version=Literal(VERSION))
            await connection.execute(create)
            return
        found = await connection.execute(self.named("SELECT version FROM {schema}"))
        version = await found.fetchone()
        if version != (VERSION,):
            raise StoreError(
                f"the archive's tables are of version {version and version[0]} and this roomkit "
                f"knows version {VERSION}: install the roomkit that wrote them, or a newer one"
            )
