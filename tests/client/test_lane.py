"""When a room's lane has next something to do: never at a time that has passed for nothing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from roomkit.client.lane import Lane
from roomkit.client.view_data import Pending, RoomView

TTL_MS = 10_000


def refused_for_a_second() -> tuple[Lane, RoomView]:
    """A lane whose only message was refused at 0 and is to be sent again at 1 000."""
    pending = Pending(key="key-1", message="hello", state="sending", at=0)
    room = RoomView(room="lobby", state="joined", pending=(pending,))
    lane = Lane(lambda: 0.5)
    lane.next(room, 0)
    lane.send_later(1_000, 0)
    return lane, room


def shown(room: RoomView) -> RoomView:
    return msgspec.structs.replace(room, pending=())


def left(room: RoomView) -> RoomView:
    failed = msgspec.structs.replace(room.pending[0], state="failed")
    return msgspec.structs.replace(room, state="left", pending=(failed,))


def test_a_refused_message_is_sent_again_when_the_server_said() -> None:
    lane, room = refused_for_a_second()
    assert lane.deadline(room, TTL_MS) == 1_000


@pytest.mark.parametrize("after", [shown, left])
def test_nothing_is_due_for_a_message_that_no_longer_waits(
    after: Callable[[RoomView], RoomView],
) -> None:
    lane, room = refused_for_a_second()
    assert lane.deadline(after(room), TTL_MS) is None


def test_a_message_waits_for_its_room_and_not_for_a_time_that_has_passed() -> None:
    lane, room = refused_for_a_second()
    torn = msgspec.structs.replace(room, state="joining")
    assert lane.deadline(torn, TTL_MS) == TTL_MS
