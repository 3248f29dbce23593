"""Whoever watches a room sees its events, and is forgotten when nobody holds them any more."""

from __future__ import annotations

import gc

import anyio
import pytest

from roomkit import Hub, Refused, RoomEvents, WatcherTooSlow
from roomkit.core.events import Advanced, Event, Posted
from roomkit.ids import RoomId
from roomkit.runtime.watchers import BUFFERED_EVENTS, Watchers
from tests.runtime.scripted import ScriptedTransport, join, served

LOBBY = RoomId("lobby")


def advanced(seq: int) -> Event:
    return Advanced(LOBBY, seq, "0" * 16)


async def take(events: RoomEvents, count: int) -> list[Event]:
    with anyio.fail_after(10):
        return [await anext(events) for _ in range(count)]


async def test_a_host_sees_what_everybody_in_the_room_is_sent() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, hub.events("lobby") as events, served(hub, alice):
        await join(alice, "alice")
        await hub.post("lobby", "hello")
        seen = await take(events, 2)
        assert [type(event).__name__ for event in seen] == ["RosterChanged", "Posted"]
        assert isinstance(seen[1], Posted)
        assert (seen[1].room, seen[1].message.text) == ("lobby", "hello")


async def test_a_plain_loop_may_be_left_and_leaves_nobody_watching() -> None:
    async with Hub() as hub:
        posted = 0

        async def post() -> None:
            nonlocal posted
            for text in ("one", "two", "three"):
                await hub.post("lobby", text)
                posted += 1

        async with anyio.create_task_group() as tasks:
            seen = []
            events = hub.events("lobby")
            tasks.start_soon(post)
            async for event in events:
                seen.append(event)
                if len(seen) == 2:
                    break
        assert posted == 3
        assert [event.message.text for event in seen if isinstance(event, Posted)] == ["one", "two"]


async def test_a_room_without_a_proper_name_cannot_be_watched() -> None:
    async with Hub() as hub:
        with pytest.raises(Refused, match="bad_argument: room is blank"):
            hub.events("")


async def test_watching_ends_when_the_hub_is_left() -> None:
    async with Hub() as hub:
        events = hub.events("lobby")
        await hub.post("lobby", "hello")
    with anyio.fail_after(10):
        seen = [event async for event in events]
    assert len(seen) == 1


async def test_closing_ends_a_waiting_iteration() -> None:
    watchers = Watchers()
    events = watchers.watch(LOBBY)
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            assert [event async for event in events] == []

        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        await events.aclose()
    await events.aclose()
    assert list(watchers.gone) == [LOBBY]


async def test_a_watcher_that_is_too_slow_gets_what_was_buffered_and_is_told() -> None:
    watchers = Watchers()
    events = watchers.watch(LOBBY)
    for seq in range(BUFFERED_EVENTS + 2):
        watchers.offer(LOBBY, advanced(seq))
    assert list(watchers.gone) == [LOBBY]
    assert await take(events, BUFFERED_EVENTS) == [advanced(seq) for seq in range(BUFFERED_EVENTS)]
    for _ in range(2):
        with pytest.raises(WatcherTooSlow, match="more than 1024 events"):
            await anext(events)
    await events.aclose()
    assert list(watchers.gone) == [LOBBY]


async def test_a_watcher_nobody_refers_to_is_forgotten() -> None:
    watchers = Watchers()
    events = watchers.watch(LOBBY)
    kept = watchers.watch(LOBBY)
    watchers.offer(LOBBY, advanced(1))
    assert list(watchers.gone) == []
    del events
    gc.collect()
    assert list(watchers.gone) == [LOBBY]
    watchers.offer(LOBBY, advanced(2))
    assert await take(kept, 2) == [advanced(1), advanced(2)]


async def test_watchers_of_one_room_do_not_hear_of_another() -> None:
    watchers = Watchers()
    lobby, garden = watchers.watch(LOBBY), watchers.watch(RoomId("garden"))
    watchers.offer(LOBBY, advanced(1))
    watchers.finish()
    assert [event async for event in lobby] == [advanced(1)]
    assert [event async for event in garden] == []
