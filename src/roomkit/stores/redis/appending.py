"""Appending: many rooms in one go, each at the server that has it, and what the answers mean."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex

import msgspec
from redis.exceptions import MovedError, ResponseError

from roomkit.core.effects import Append
from roomkit.core.storage import Failed, Outcome, Stored, Unknown
from roomkit.errors import StoreError
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.stores.memory_room import NONCE_MS
from roomkit.stores.redis.durability import Durability
from roomkit.stores.redis.keys import Keys
from roomkit.stores.redis.rows import outcome_of
from roomkit.stores.redis.scripts import APPEND
from roomkit.stores.redis.server import Argument, Server
from roomkit.stores.redis.servers import Servers

__all__ = ["Appender"]

_pack = msgspec.msgpack.Encoder().encode

_KEYS_FORGOTTEN = 64  # by one append, beyond as many as it can add
_LISTED = 10_000  # names of rooms remembered as put down in the list of all
_FOR_GOOD = frozenset({"OOM", "NOREPLICAS", "MISCONF", "NOPERM"})
"""Errors with which a server refuses a script before it has written anything, until somebody does
something about it. Others, of a failover or a moving slot, pass: the append is sent again."""


class Appender:
    """Appends for one handle.

    Args:
        handle: names it in what is published.
    """

    def __init__(
        self, servers: Servers, keys: Keys, limits: Limits, durability: Durability, handle: str
    ) -> None:
        self._servers = servers
        self._keys = keys
        self._limits = limits
        self._durability = durability
        self._handle = handle
        self._listed: set[RoomId] = set()

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        """As the contract of a store says.

        Raises:
            StoreError: nobody knows what was stored.
            ValueError: an append has no facts; nothing of the call was stored.
        """
        for append in appends:
            if not append.facts:
                raise ValueError(f"an append to {append.room!r} has no facts: give it at least one")
        await self._list([append.room for append in appends])
        outcomes: list[Outcome] = [Unknown("its room moves to another server")] * len(appends)
        waiting = list(range(len(appends)))
        for _ in range(2):  # what has moved is sent to where it is now
            waiting = [
                at
                for server, theirs in (await self._by_server(appends, waiting)).items()
                for at in await self._append_at(server, appends, theirs, now, outcomes)
            ]
        return outcomes

    async def _by_server(
        self, appends: Sequence[Append], places: Sequence[int]
    ) -> dict[Server, list[int]]:
        groups: dict[Server, list[int]] = {}
        for at in places:
            server = await self._servers.of(self._keys.head(appends[at].room))
            groups.setdefault(server, []).append(at)
        return groups

    async def _append_at(
        self,
        server: Server,
        appends: Sequence[Append],
        places: Sequence[int],
        now: int,
        outcomes: list[Outcome],
    ) -> list[int]:
        """Append what a server has the rooms of; return the places of those it no longer has."""
        replicas = self._durability.replicas
        calls = [
            (self._keys.of_an_append(append.room), self._arguments(append, now, server))
            for append in [appends[at] for at in places]
        ]
        try:
            answers, have = await server.run(APPEND, calls, replicas)
        except StoreError:
            self._servers.doubt()
            raise
        moved: list[int] = []
        for at, answer in zip(places, answers, strict=True):
            if isinstance(answer, MovedError):
                moved.append(at)
            elif isinstance(answer, Exception):
                outcomes[at] = _trouble(answer)
            else:
                outcomes[at] = outcome_of(appends[at], answer)
                if have < replicas and isinstance(outcomes[at], Stored):
                    outcomes[at] = Unknown(f"{have} of {replicas} replicas have it so far")
        if moved:
            self._servers.doubt()
        return moved

    def _arguments(self, append: Append, now: int, server: Server) -> list[Argument]:
        after = append.after
        about = _pack(
            (
                append.nonce.node, append.nonce.counter, append.fence, now,
                self._limits.idempotency_ms, NONCE_MS, append.control, token_hex(8),
                _KEYS_FORGOTTEN, server.publishing, self._keys.channel(append.room), self._handle,
                after.seq if after else -1, after.link if after else "",
                ["" if item.key is None else f"k{item.key}" for item in append.facts],
            )
        )  # fmt: skip
        return [about, *[item.fact for item in append.facts]]

    async def _list(self, rooms: Sequence[RoomId]) -> None:
        """Put rooms down in the list of all, before there can be anything in them."""
        if new := set(rooms) - self._listed:
            names = [part for room in new for part in (0, room)]
            await self._servers.ask(
                self._keys.rooms, lambda server: server.call("ZADD", self._keys.rooms, *names)
            )
            if len(self._listed) + len(new) > _LISTED:
                self._listed.clear()
            self._listed |= new


def _trouble(error: Exception) -> Outcome:
    """Return what an error of the server means for an append."""
    reason = str(error)
    code = getattr(error, "status_code", None) or reason.split(" ", 1)[0]
    if isinstance(error, ResponseError) and code in _FOR_GOOD:
        return Failed(f"the server refused it: {reason}")
    return Unknown(f"the server failed in the middle of it: {reason}")
