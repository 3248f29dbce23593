"""Listening to the store's feed, for as long as the hub runs."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from roomkit.core.inputs import Fed
from roomkit.core.storage import Interrupted
from roomkit.limits import Limits
from roomkit.runtime.complaints import Complaints
from roomkit.stores.base import Store

__all__ = ["listen"]


async def listen(
    store: Store, step: Callable[[Fed], None], limits: Limits, complaints: Complaints
) -> None:
    """Step what the feed brings, opening it again whenever it ends or raises.

    The engine is told of an interruption when the feed is lost and once more when it is open again:
    what happened between was seen by nobody. Waits from `retry_base_ms`, doubling up to
    `retry_cap_ms`, and from the start again once something came.
    """
    wait_ms = limits.retry_base_ms
    interrupted = False
    while True:
        try:
            async with store.feed() as feed:
                if interrupted:
                    step(Fed(Interrupted()))
                async for item in feed:
                    wait_ms = limits.retry_base_ms
                    step(Fed(item))
            complaints.warn("feed", "the store's feed ended; opening it again")
        except Exception as error:  # noqa: BLE001 - a store is the host's, and may raise anything
            complaints.warn("feed", "the store's feed failed; opening it again", error)
        interrupted = True
        step(Fed(Interrupted()))
        await anyio.sleep(wait_ms / 1000)
        wait_ms = min(2 * wait_ms, limits.retry_cap_ms)
