"""What nodes share beside rooms: leases, the secret, lanes, and what an ack means."""

from __future__ import annotations

from roomkit.ids import NodeId, RoomId
from roomkit.testing.store_laws.base import StoreLaws

__all__ = ["LeaseLaws"]

NODES = [NodeId(name) for name in ("node-1", "node-2", "node-3")]


class LeaseLaws(StoreLaws):
    async def test_a_node_without_a_lease_is_lapsed(self) -> None:
        async with self.handles(2) as (here, there):
            assert list(await here.lapsed(NODES)) == NODES
            assert await here.renew(NODES[1], 60_000) is True
            for store in (here, there):
                assert list(await store.lapsed(NODES)) == [NODES[0], NODES[2]]
                assert list(await store.lapsed(NODES[1:2])) == []
                assert list(await store.lapsed([])) == []

    async def test_a_lease_ends_unless_it_is_renewed(self) -> None:
        self.need_time()
        async with self.handles(2) as (here, there):
            for node in NODES:
                assert await here.renew(node, 3_000) is True
            await self.advance(2_000)
            assert list(await there.lapsed(NODES)) == []
            assert await there.renew(NODES[0], 3_000) is True
            await self.advance(2_000)
            assert list(await here.lapsed(NODES)) == NODES[1:]
            assert await here.renew(NODES[2], 3_000) is True
            assert list(await there.lapsed(NODES)) == NODES[1:2]

    async def test_a_lease_can_be_made_shorter(self) -> None:
        """As a node that drains does, so that nobody waits for it."""
        self.need_time()
        async with self.handle() as store:
            assert await store.renew(NODES[0], 600_000) is True
            assert await store.renew(NODES[0], 1_000) is True
            await self.advance(1_500)
            assert list(await store.lapsed(NODES[:1])) == NODES[:1]

    async def test_the_secret_is_one_for_all_handles(self) -> None:
        async with self.handles(2) as (here, there):
            secrets = {await here.secret(), await there.secret(), await here.secret()}
        assert [len(secret) for secret in secrets] == [32]

    async def test_the_secret_is_random(self) -> None:
        async with self.handle() as store:
            first = await store.secret()
        async with self.handle() as store:
            second = await store.secret()
        assert len({first, second, bytes(32)}) == 3

    async def test_every_handle_puts_a_room_in_the_same_lane(self) -> None:
        rooms = [RoomId(f"room-{number}") for number in range(100)]
        async with self.handles(2) as (here, there):
            lanes = [here.lane(room) for room in rooms]
            again = [here.lane(room) for room in rooms]
            elsewhere = [there.lane(room) for room in rooms]
        assert min(lanes) >= 0
        assert again == elsewhere == lanes

    async def test_what_an_ack_means_has_a_name(self) -> None:
        async with self.handles(2) as (here, there):
            names = {here.durability, there.durability}
        assert [name.strip() for name in names] == [*names]
        assert len(names - {""}) == 1
