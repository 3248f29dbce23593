"""The feed: hints and signals reach the other handles, and a slow reader holds nobody up.

It is lossy by contract, so what must arrive is sent until it does. That something does not arrive
is seen from what was sent after it, never by waiting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import anyio

from roomkit.core.storage import Hint, LogSlice, StoreFeed, StoreSignal, Tip
from roomkit.ids import RoomId
from roomkit.stores.base import Store
from roomkit.testing.store_laws.base import StoreLaws
from roomkit.testing.store_laws.writing import LOBBY, Writer, log_of, wall

__all__ = ["FeedLaws"]

ATTIC = RoomId("attic")

_BETWEEN_S = 0.05  # how long something sent may take before it is sent again


def rooms_of(brought: list[StoreFeed]) -> set[RoomId]:
    return {item.room for item in brought if isinstance(item, Hint | StoreSignal)}


class FeedLaws(StoreLaws):
    async def overhear(
        self, store: Store, send: Callable[[], Awaitable[None]], last: RoomId
    ) -> list[StoreFeed]:
        """Send until the handle's feed brings something of the room `last`; return all it brought.

        Gives up after `patience_s`, and then returns what was brought without it.
        """
        brought: list[StoreFeed] = []
        done = anyio.Event()

        async def listen(feed: AsyncIterator[StoreFeed]) -> None:
            async for item in feed:
                brought.append(item)
                if last in rooms_of([item]):
                    done.set()

        async with store.feed() as feed, anyio.create_task_group() as tasks:
            tasks.start_soon(listen, feed)
            with anyio.move_on_after(self.patience_s):
                while not done.is_set():
                    await send()
                    with anyio.move_on_after(_BETWEEN_S):
                        await done.wait()
            tasks.cancel_scope.cancel()
        return brought

    async def test_a_follower_is_told_of_appends(self) -> None:
        now, node = wall(), Writer()
        async with self.handles(2) as (here, there):

            async def send() -> None:
                await here.follow(LOBBY)
                await node.write(there, LOBBY, b"a", b"b", now=now)

            brought = await self.overhear(here, send, LOBBY)
            log = await log_of(here, LOBBY)
        assert rooms_of(brought) == {LOBBY}
        hinted = {entry for item in brought if isinstance(item, Hint) for entry in item.entries}
        assert hinted <= set(log)

    async def test_a_handle_is_not_told_of_its_own_appends(self) -> None:
        now, own, other = wall(), Writer("own"), Writer("other")
        async with self.handles(2) as (here, there):

            async def send() -> None:
                await here.follow(LOBBY)
                await here.follow(ATTIC)
                await own.write(here, LOBBY, b"a", now=now)
                await other.write(there, ATTIC, b"b", now=now)

            brought = await self.overhear(here, send, ATTIC)
        assert rooms_of(brought) == {ATTIC}

    async def test_a_handle_is_told_only_of_rooms_it_follows(self) -> None:
        """Not of one it never followed, nor of one it left, however often it followed before."""
        now, node = wall(), Writer()
        async with self.handles(2) as (here, there):

            async def send() -> None:
                for room in (LOBBY, LOBBY, ATTIC):
                    await here.follow(room)
                await here.unfollow(LOBBY)
                await here.unfollow(RoomId("not followed either"))
                for room in (LOBBY, RoomId("cellar"), ATTIC):
                    await node.write(there, room, b"a", now=now)
                    await there.signal(room, b"typing")

            brought = await self.overhear(here, send, ATTIC)
        assert rooms_of(brought) == {ATTIC}

    async def test_a_signal_reaches_followers_and_no_log(self) -> None:
        payload = bytes(range(256)) * 16
        async with self.handles(2) as (here, there):

            async def send() -> None:
                await here.follow(LOBBY)
                await there.signal(LOBBY, payload)

            brought = await self.overhear(here, send, LOBBY)
            kept = await here.read(LOBBY, 0, 10)
        signals = [item for item in brought if isinstance(item, StoreSignal)]
        assert signals[:1] == [StoreSignal(LOBBY, payload)]
        assert kept == LogSlice(None, (), Tip(0, "", 0), 0)

    async def test_a_handle_is_not_told_of_its_own_signals(self) -> None:
        async with self.handles(2) as (here, there):

            async def send() -> None:
                await here.follow(LOBBY)
                await here.follow(ATTIC)
                await here.signal(LOBBY, b"own")
                await there.signal(ATTIC, b"other")

            brought = await self.overhear(here, send, ATTIC)
        assert rooms_of(brought) == {ATTIC}

    async def test_a_feed_nobody_reads_holds_nobody_up(self) -> None:
        now, node = wall(), Writer()
        sent = 0
        async with self.handles(2) as (here, there), there.feed():
            await there.follow(LOBBY)
            with anyio.move_on_after(self.patience_s):
                for number in range(1_500):
                    await here.signal(LOBBY, b"%d" % number)
                    sent += 1
                await node.write(here, LOBBY, b"a", now=now)
            log = await log_of(there, LOBBY)
        assert (sent, [entry.fact for entry in log]) == (1_500, [b"a"])
