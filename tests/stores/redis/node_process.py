"""A node in a process of its own, to be killed: `python -m ... URL PREFIX` prints its port."""

from __future__ import annotations

import asyncio
import sys

from roomkit import Hub
from roomkit.stores.redis import RedisStore
from roomkit_websockets import listen
from tests.stores.redis.quick import QUICK, SECRET


async def main(url: str, prefix: str) -> None:
    hub = Hub(store=RedisStore(url, limits=QUICK, prefix=prefix), limits=QUICK, secret=SECRET)
    async with listen(hub, "127.0.0.1", 0) as (_, port):
        print(port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
