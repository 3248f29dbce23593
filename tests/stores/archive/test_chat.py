"""People page back through a whole chat whose server keeps little of it."""

from __future__ import annotations

from secrets import token_hex

import anyio
import msgspec
import pytest

from roomkit import Hub
from roomkit.client import Room, connect
from roomkit.stores.archive import SqlArchive
from roomkit.stores.redis import RedisStore
from roomkit_websockets import listen
from tests.cluster.node import LIMITS as QUICK
from tests.runtime.scripted import eventually
from tests.stores.archive.rooms import bodies
from tests.stores.archive.servers import TestDatabase
from tests.stores.redis.deployments import DEPLOYMENTS, deployed

SAID, KEPT = 100, 10
LIMITS = msgspec.structs.replace(
    QUICK, snapshot_every=10, log_entries=20, replay_entries=10, history_window=10,
    history_on_join=10,
)  # fmt: skip


async def read_back(room: Room) -> list[str]:
    """Page to the first message, and return what is held then."""
    await eventually(lambda: room.view.state == "joined")
    while room.view.has_before:
        await room.history(limit=7)
    assert room.view.complete
    return [message["message"] for message in room.messages]


@pytest.mark.socket
@pytest.mark.parametrize("name", DEPLOYMENTS)
async def test_everything_ever_said_can_be_read_edited_and_deleted(
    name: str, postgres: TestDatabase
) -> None:
    prefix = f"r{token_hex(4)}"
    texts = [f"message {number}" for number in range(SAID)]
    with deployed(name) as server:
        archive = SqlArchive(postgres.url, prefix=prefix)
        store = RedisStore(server.url, limits=LIMITS, messages=KEPT, prefix=prefix, archive=archive)
        here, there = (Hub(store=one, limits=LIMITS) for one in (store, store.another()))
        async with (
            listen(here, "127.0.0.1", 0) as (_, one),
            listen(there, "127.0.0.1", 0) as (_, two),
            connect(f"ws://127.0.0.1:{one}/", username="alice") as alice,
        ):
            room = alice.room("general")
            said = [await room.send(text) for text in texts]
            async with connect(f"ws://127.0.0.1:{two}/", username="bob") as bob:
                with anyio.fail_after(30):
                    assert await read_back(bob.room("general")) == texts
                await room.edit(said[0]["id"], "the very first")
                await room.delete(said[1]["id"])
                texts[:2] = ["the very first", ""]
                with anyio.fail_after(30):
                    await eventually(
                        lambda: [one["message"] for one in bob.room("general").messages] == texts
                    )
            assert len(bodies(postgres, prefix)) >= SAID // 2
