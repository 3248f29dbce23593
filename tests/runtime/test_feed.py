"""The feed is listened to for ever, and the engine hears of every interruption."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest

from roomkit.core.inputs import Fed
from roomkit.core.storage import Hint, Interrupted
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.runtime.complaints import Complaints
from roomkit.runtime.feed import listen
from tests.runtime.faulty_store import FaultyStore
from tests.runtime.scripted import eventually

HINT = Hint(RoomId("lobby"), ())
LOST = Fed(Interrupted())
LIMITS = Limits(retry_base_ms=1, retry_cap_ms=4)


@asynccontextmanager
async def listening(store: FaultyStore) -> AsyncGenerator[list[Fed]]:
    heard: list[Fed] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen, store, heard.append, LIMITS, Complaints())
        yield heard
        tasks.cancel_scope.cancel()


async def test_what_the_feed_brings_is_handed_on() -> None:
    store = FaultyStore()
    store.feed_brings = [HINT, HINT]
    async with listening(store) as heard:
        await anyio.wait_all_tasks_blocked()
        assert heard == [Fed(HINT), Fed(HINT)]


async def test_a_feed_that_ends_is_opened_again() -> None:
    store = FaultyStore()
    async with listening(store) as heard:
        await eventually(lambda: store.feeds == 1)
        store.feed_brings = [HINT]
        ended, store.feed_ends = store.feed_ends, anyio.Event()
        ended.set()
        await eventually(lambda: len(heard) == 3)
        assert (heard, store.feeds) == ([LOST, LOST, Fed(HINT)], 2)


async def test_a_feed_that_raises_is_opened_again_and_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FaultyStore()
    store.trouble["feed"] = OSError("secret")
    async with listening(store) as heard:
        await eventually(lambda: store.feeds >= 3)
        assert heard[:2] == [LOST, LOST]
        store.trouble.clear()
        store.feed_brings = [HINT]
        await eventually(lambda: heard[-1] == Fed(HINT))
    assert len(caplog.records) == 1
    assert "the store's feed failed" in caplog.text
    assert "secret" not in caplog.text
