"""Scenarios of frames that come twice, not at all, or from another kind of server."""

from __future__ import annotations

from roomkit.testing.vectors.scenario import scenario
from roomkit.testing.vectors.stage import Stage


@scenario()
def a_frame_twice(stage: Stage) -> None:
    """A frame at or before the position is a repeat and changes nothing."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("one")
    stage.settle()
    stage.repeat()


@scenario()
def a_hole(stage: Stage) -> None:
    """A frame beyond the next one tears the room: it is joined again from its position."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    stage.slow = True
    bob.say("one")
    bob.say("two")
    stage.settle()
    stage.lose(1)
    stage.deliver(1)
    stage.show()
    stage.slow = False


@scenario()
def unknown_types_and_keys(stage: Stage) -> None:
    """Unknown keys of data are kept; an unknown type moves the position if it has one."""
    stage.begin("general")
    place = {"room": "general", "seq": 2, "link": "00000000000000aa"}
    message = {
        **place,
        "id": "2-00000000000000aa",
        "username": "bob",
        "user_id": "u-bob",
        "message": "hello",
        "timestamp": "2024-01-01T12:00:00.000Z",
        "type": "message",
        "stars": 5,
    }
    stage.inject("new_message", message)
    stage.inject("starred", {**place, "seq": 3, "by": "bob"})
    stage.inject("weather", {"room": "general", "sky": "blue"})
    stage.inject("new_message", {**message, "room": "elsewhere", "seq": 4})
    stage.inject("room_advanced", {**place, "seq": 4, "why": "unknown"})


@scenario()
def garbage(stage: Stage) -> None:
    """What no roomkit server sends ends the connection and leaves the view as it was."""
    stage.begin("general")
    stage.inject("new_message", {"room": "general", "seq": 2, "link": "00000000000000aa"})
    stage.wait(1_000)
    stage.inject("room_joined", {"room": "general", "seq": "2", "link": None})
    stage.wait(1_000)


@scenario()
def answers_nobody_waits_for(stage: Stage) -> None:
    """An ack or an error of an unknown ref changes nothing."""
    stage.begin("general")
    ack = {"ref": "99", "room": "general", "seq": 9, "link": "00000000000000aa"}
    stage.inject("ack", ack)
    error = {"code": "forbidden", "message": "no", "retryable": False, "room": "general"}
    stage.inject("error", error)


@scenario()
def recovered_beyond_the_position(stage: Stage) -> None:
    """A recovery that does not begin at our position cannot be trusted: joined anew."""
    stage.begin("general")
    you = {"role": "participant", "can": ["send"]}
    data = {"room": "general", "seq": 5, "link": "00000000000000aa", "recovered": True}
    typing: dict[str, object] = {"users": [], "total": 0, "expires_ms": 6_000}
    stage.inject("room_joined", {**data, "gap": None, "you": you, "typing": typing})
