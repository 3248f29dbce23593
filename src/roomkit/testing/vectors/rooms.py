"""Scenarios of being in rooms: people, messages, edits, typing, history."""

from __future__ import annotations

from roomkit.core.events import User
from roomkit.core.inputs import Asked, HostKick
from roomkit.core.policy import Action
from roomkit.ids import RequestId, RoomId, UserId
from roomkit.limits import Limits
from roomkit.testing.vectors.scenario import scenario
from roomkit.testing.vectors.stage import Stage


@scenario()
def join_and_talk(stage: Stage) -> None:
    """Somebody joins a room, others come, talk and go."""
    stage.begin("general")
    stage.show()
    bob = stage.person("bob", "general")
    stage.do("send", room="general", message="hello bob")
    stage.show()
    stage.wait(1_000)
    bob.say("hello alice")
    stage.show()
    bob.leave()


@scenario()
def two_rooms(stage: Stage) -> None:
    """Two rooms on one connection; each has a position and people of its own."""
    stage.begin("general", "random")
    stage.person("bob", "random").say("anyone here?")
    stage.do("send", room="general", message="in general")
    stage.do("send", room="random", message="in random")


@scenario()
def leave_and_come_back(stage: Stage) -> None:
    """After leaving, nothing of the room is heard; joining again brings what was missed."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("one")
    stage.settle()
    stage.do("leave", room="general")
    bob.say("two")
    stage.show()
    stage.do("join", room="general")


@scenario()
def kick(stage: Stage) -> None:
    """Who is put out is in the room no longer, and does not come back by itself after a cut."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("hello")
    stage.settle()
    kick = HostKick(RoomId("general"), UserId("guest-1"), by="host", reason="spam")
    stage.server.node.step(Asked(RequestId(1), kick))
    stage.show()
    stage.do("send", room="general", message="why?")
    stage.cut()
    stage.wait(1_000)
    stage.show()
    stage.do("join", room="general")


def _only_open_rooms(user: User, room: RoomId, action: Action) -> bool:
    return not (room == "private" and action is Action.JOIN)


@scenario(policy=_only_open_rooms)
def join_refused(stage: Stage) -> None:
    """A room one may not join is refused, and what was to be said there fails."""
    stage.do("join", room="private")
    stage.do("send", room="private", message="let me in")
    stage.do("start")


@scenario()
def name_taken(stage: Stage) -> None:
    """A guest whose name is taken joins under another."""
    stage.do("start")
    other = stage.person("alice", "general")
    stage.do("join", room="general")
    stage.show()
    stage.do("join", room="general", username="alice2")
    other.say("welcome")


@scenario(limits=Limits(joins_burst=1))
def join_rate_limited(stage: Stage) -> None:
    """A join that is refused for now is asked for again when the server says."""
    stage.begin("general", "random", "help")
    stage.show()
    stage.wait(5_000)


@scenario(limits=Limits(roster_limit=2, roster_return=1, roster_return_ms=1_000))
def roster_off_and_on(stage: Stage) -> None:
    """In a crowd the roster goes off and counts come; it comes on again when few are left."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    carol = stage.person("carol", "general")
    stage.show()
    dave = stage.person("dave", "general")
    stage.wait(4_000)
    stage.show()
    for person in (bob, carol, dave):
        person.leave()
    stage.wait(5_000)
    bob.join()


@scenario()
def second_tab(stage: Stage) -> None:
    """Another tab of somebody is another session of one occupant."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob_again = stage.person("bob", "general", tab="tab-2")
    stage.show()
    bob.drop()
    stage.wait(20_000)
    stage.show()
    bob_again.leave()


@scenario()
def edits_and_deletes(stage: Stage) -> None:
    """A message gets another text, then is deleted for good; an old word changes nothing."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("helo")
    stage.wait(1_000)
    bob.edit("hello")
    stage.show()
    bob.say("a secret")
    stage.wait(1_000)
    bob.delete()
    stage.show()
    stage.do("send", room="general", message="mine")
    mine = stage.room("general").messages[-1]["id"]
    stage.do("edit", room="general", id=mine, message="mine, edited", if_version=1)
    stage.do("edit", room="general", id=mine, message="too late", if_version=1)
    stage.do("delete", room="general", id=mine)
    stage.do("delete", room="general", id="999-0000000000000000")


@scenario()
def edited_while_away(stage: Stage) -> None:
    """Edits and deletes that happened during a cut come with the replay."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("one")
    stage.settle()
    stage.cut()
    bob.edit("one, edited")
    bob.say("two")
    bob.delete()
    stage.wait(1_000)


@scenario()
def others_type(stage: Stage) -> None:
    """Typing is shown, prolonged, ended by a message, and forgotten if no word of it comes."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    carol = stage.person("carol", "general")
    bob.type()
    carol.type()
    stage.show()
    stage.wait(1_000)
    carol.say("done")
    stage.show()
    stage.slow = True
    bob.stop_typing()
    stage.wait(6_000)
    stage.show()
    stage.slow = False


@scenario()
def typing_throttled(stage: Stage) -> None:
    """Keys are told of once per period, and a pause tells that typing ended."""
    stage.begin("general")
    for _ in range(9):
        stage.do("typing", room="general")
        stage.wait(500)
    stage.wait(3_000)
    stage.do("typing", room="general")
    stage.do("stop_typing", room="general")
    stage.do("typing", room="general")
    stage.do("send", room="general", message="done")
    stage.do("stop_typing", room="general")


@scenario(limits=Limits(history_on_join=2))
def history_pages(stage: Stage) -> None:
    """Pages of older messages are merged into what is held; one that would leave a hole is not."""
    bob = stage.person("bob", "general")
    for number in range(1, 8):
        bob.say(f"message {number}")
        stage.wait(1_000)
    stage.begin("general")
    stage.show()
    stage.do("history", room="general", before=3)
    stage.show()
    stage.do("history", room="general", limit=2)
    stage.show()
    stage.do("history", room="general", limit=50)
    stage.do("history", room="general", around=5, limit=2)
    stage.do("users", room="general", limit=1)


@scenario()
def signals(stage: Stage) -> None:
    """Signals pass by and change nothing."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.signal("wave", {"to": "alice"})
    stage.settle()
    stage.do("signal", room="general", name="wave", payload=None)
