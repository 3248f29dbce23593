"""The end of a run: quiet, agreement, and a look at everything there is."""

from __future__ import annotations

import anyio

from roomkit.client import Chat, Room, connect
from tests.crash.crowd import Crowd
from tests.crash.record import Data, Ending

__all__ = ["OBSERVER", "endings", "read_out"]

OBSERVER = "frank"


async def endings(crowd: Crowd, url: str) -> dict[str, Ending]:
    """Have everybody stop writing, and somebody new look at every room once all agree.

    Not bounded by itself: give it a deadline.
    """
    crowd.quiet.set()
    crowd.tell_network_is_back()
    async with connect(url, username=OBSERVER) as observer:
        everybody = {**crowd.chats, OBSERVER: observer}
        rooms = {name: observer.room(name) for name in crowd.rooms}
        for name, room in rooms.items():
            await room.joined()
            while crowd.writing or not _agree(everybody, name):  # noqa: ASYNC110 - many views, and a deadline outside
                await anyio.sleep(0.05)
        return {name: await _ending(room, everybody) for name, room in rooms.items()}


def _agree(everybody: dict[str, Chat], name: str) -> bool:
    """Whether all are in a room, at the same position, with nothing left to send."""
    views = [chat.room(name).view for chat in everybody.values()]
    at_rest = all(view.state == "joined" and not view.pending for view in views)
    return at_rest and len({view.position for view in views}) == 1


async def _ending(room: Room, everybody: dict[str, Chat]) -> Ending:
    views = {name: chat.room(room.name).view for name, chat in everybody.items()}
    held = {name: (view.messages, view.occupants) for name, view in views.items()}
    return Ending(*await read_out(room), held)


async def read_out(room: Room) -> tuple[list[Data], list[Data]]:
    """Read every message, oldest first, and every occupant of a room from the server."""
    position = (await room.joined()).position
    assert position is not None
    history: list[Data] = []
    before, more = position.seq + 1, True
    while more:
        page = await room.history(before=before, limit=200)
        history[:0] = page.messages
        before, more = (page.messages[0]["seq"] if page.messages else 0), page.has_before
    return history, list((await room.users()).occupants)
