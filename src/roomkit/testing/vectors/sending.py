"""Scenarios of messages on their way."""

from __future__ import annotations

from roomkit.core.events import User
from roomkit.core.policy import Action
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.testing.vectors.scenario import scenario
from roomkit.testing.vectors.stage import Stage


@scenario()
def offline_outbox(stage: Stage) -> None:
    """Messages asked for while offline wait, and go in order, one at a time."""
    stage.begin("general")
    stage.cut()
    for text in ("one", "two", "three"):
        stage.do("send", room="general", message=text)
    stage.show()
    stage.wait(1_000)


@scenario()
def sent_before_the_first_join(stage: Stage) -> None:
    """A message may be asked for before anything is known of the room."""
    stage.do("join", room="general", history=10, meta={"color": "teal"})
    stage.do("send", room="general", message="hello", meta={"mood": "curious"})
    stage.show()
    stage.do("start")


@scenario()
def one_at_a_time(stage: Stage) -> None:
    """The next message waits for the answer to the one before."""
    stage.begin("general")
    stage.slow = True
    stage.do("send", room="general", message="one")
    stage.do("send", room="general", message="two")
    stage.deliver(1)
    stage.show()
    stage.deliver(1)
    stage.show()
    stage.slow = False


@scenario()
def ack_lost(stage: Stage) -> None:
    """Stored, and the word of it lost: the replay shows it, and a repeat brings the word."""
    stage.begin("general")
    stage.slow = True
    stage.do("send", room="general", message="hello")
    stage.slow = False
    stage.cut()
    stage.show()
    stage.wait(1_000)


@scenario()
def shown_and_lost(stage: Stage) -> None:
    """Shown, never acknowledged, and lost with the store: sent again, it is there once."""
    stage.begin("general")
    stage.slow = True
    stage.do("send", room="general", message="hello")
    stage.deliver(1)
    stage.show()
    stage.slow = False
    stage.server.lose_store()
    stage.restart()
    stage.wait(1_000)


@scenario()
def shown_and_left(stage: Stage) -> None:
    """Whoever leaves before the word of it came has sent what the room shows."""
    stage.begin("general")
    stage.slow = True
    stage.do("send", room="general", message="hello")
    stage.deliver(1)
    stage.do("leave", room="general")
    stage.show()
    stage.slow = False


@scenario(limits=Limits(replay_entries=1, history_on_join=1))
def resent_duplicate(stage: Stage) -> None:
    """Stored, cut, and not in the snapshot: sent again with the same key, it is a duplicate."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    stage.slow = True
    stage.do("send", room="general", message="hello")
    stage.slow = False
    stage.cut()
    bob.say("one")
    bob.say("two")
    stage.wait(1_000)


@scenario()
def never_arrived(stage: Stage) -> None:
    """The message was lost on its way: it is sent again after the cut."""
    stage.begin("general")
    stage.deaf = True
    stage.do("send", room="general", message="hello")
    stage.do("send", room="general", message="world")
    stage.deaf = False
    stage.cut()
    stage.wait(1_000)


def _nothing_said(user: User, room: RoomId, action: Action) -> bool:
    return action is not Action.SEND


@scenario(policy=_nothing_said)
def send_refused(stage: Stage) -> None:
    """A message that is refused has failed, and may be discarded; the next one is tried."""
    stage.begin("general")
    stage.do("send", room="general", message="one")
    stage.do("send", room="general", message="two")
    stage.show()
    stage.do("discard", room="general", key="key-1")


@scenario(limits=Limits(messages_burst=1, messages_per_s=1))
def rate_limited(stage: Stage) -> None:
    """A message refused for now is sent again with the same key, when the server says."""
    stage.begin("general")
    stage.do("send", room="general", message="one")
    stage.do("send", room="general", message="two")
    stage.show()
    stage.wait(2_000)


@scenario(limits=Limits(idempotency_ms=20_000))
def time_to_live(stage: Stage) -> None:
    """What could not be sent within half of the server's idempotency_ms fails."""
    stage.begin("general")
    stage.cut()
    stage.reachable = False
    stage.do("send", room="general", message="old")
    stage.wait(5_000)
    stage.do("send", room="general", message="young")
    stage.wait(5_000)
    stage.show()
    stage.reachable = True
    stage.do("hint")


@scenario()
def discarded(stage: Stage) -> None:
    """What was never sent can be taken back; what may be on its way can not."""
    stage.begin("general")
    stage.deaf = True
    stage.do("send", room="general", message="on its way")
    stage.do("send", room="general", message="waiting")
    stage.do("discard", room="general", key="key-1")
    stage.do("discard", room="general", key="key-2")
    stage.show()
    stage.deaf = False
    stage.cut()
    stage.wait(1_000)


@scenario()
def left_with_messages_waiting(stage: Stage) -> None:
    """Leaving gives up what is not sent."""
    stage.begin("general")
    stage.cut()
    stage.do("send", room="general", message="too late")
    stage.do("leave", room="general")
    stage.wait(1_000)
