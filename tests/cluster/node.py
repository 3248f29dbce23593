"""A node that may be killed at any moment, in a process of its own.

`python -m tests.cluster.node URL DURABILITY HOST PORT [spoilt]`
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from secrets import token_hex

import anyio
import msgspec

from roomkit import Hub
from roomkit.core.effects import Append
from roomkit.core.storage import Entry, Outcome, Stored, Tip
from roomkit.stores.redis import RedisStore
from roomkit_websockets import listen
from tests.crash.server import LIMITS as PLENTY_OF_EVERYTHING

__all__ = ["LIMITS"]

SECRET = "correct horse battery staple"
LIMITS = msgspec.structs.replace(
    PLENTY_OF_EVERYTHING, lease_ms=3_000, lease_renew_ms=1_000, presence_grace_ms=2_000,
    tips_ms=1_000, tips_idle_ms=2_000, connections_per_user=1_000, heartbeat_ms=2_000,
    pong_ms=1_000,
)  # fmt: skip
"""A dead node is given up within seconds."""


class Forgetful(RedisStore):
    """Now and then it acknowledges what it never stored: the verdict must find that out."""

    calls = 0

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[Outcome]:
        self.calls += 1
        if self.calls % 20:
            return await super().append(appends, now)
        tips = await self.tips([append.room for append in appends])
        return [_made_up(append, tips.get(append.room, Tip(0, "", 0)), now) for append in appends]


def _made_up(append: Append, tip: Tip, now: int) -> Outcome:
    """What a store that has stored it would say."""
    entries: list[Entry] = []
    prev = tip.link
    for seq, item in enumerate(append.facts, tip.seq + 1):
        entries.append(Entry(seq, now, prev, token_hex(8), item.fact, False))
        prev = entries[-1].link
    return Stored(tuple(entries))


async def main(*arguments: str) -> None:
    """Serve until killed."""
    url, durability, host, port, *spoilt = arguments
    kind = Forgetful if spoilt else RedisStore
    store = kind(url, durability=durability, limits=LIMITS)
    async with listen(Hub(store=store, limits=LIMITS, secret=SECRET), host, int(port)):
        print("listens", flush=True)
        await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
