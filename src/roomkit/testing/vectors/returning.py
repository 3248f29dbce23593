"""Scenarios of being cut off and coming back."""

from __future__ import annotations

from roomkit.core.events import Failure
from roomkit.core.inputs import Drain
from roomkit.errors import ErrorCode
from roomkit.limits import Limits
from roomkit.testing.vectors.scenario import scenario
from roomkit.testing.vectors.stage import Stage


@scenario()
def resume_recovered(stage: Stage) -> None:
    """After a cut the room is joined from its position, and what was missed is replayed."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("one")
    stage.settle()
    stage.cut()
    stage.show()
    bob.say("two")
    stage.wait(1_000)
    bob.say("three")


@scenario()
def cut_between_frames(stage: Stage) -> None:
    """A cut in the middle of a replay: the next one goes on from there."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    stage.cut()
    for text in ("one", "two", "three"):
        bob.say(text)
    stage.slow = True
    stage.wait(250)
    stage.deliver(1)
    stage.deliver(2)
    stage.show()
    stage.slow = False
    stage.cut()
    stage.wait(1_000)


@scenario(limits=Limits(replay_entries=2))
def gap_replay_limit(stage: Stage) -> None:
    """Too much was missed: a snapshot replaces what was known, and the gap is told."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("before")
    stage.settle()
    stage.cut()
    for number in range(1, 5):
        bob.say(f"message {number}")
    stage.wait(1_000)


@scenario(limits=Limits(log_entries=4, snapshot_every=2, replay_entries=2, history_on_join=2))
def gap_trimmed(stage: Stage) -> None:
    """The log no longer goes back to the position: a server that replays more cannot help it."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("before")
    stage.settle()
    stage.cut()
    stage.reachable = False
    for number in range(1, 9):
        bob.say(f"message {number}")
        stage.wait(500)
    stage.reachable = True
    stage.server.restart(Limits(log_entries=4, snapshot_every=2, history_on_join=2))
    stage.wait(20_000)


@scenario()
def gap_forked(stage: Stage) -> None:
    """The store lost everything: the position is of another log."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("before")
    stage.settle()
    stage.server.lose_store()
    stage.restart()
    stage.person("bob", "general").say("after")
    stage.wait(1_000)


@scenario()
def room_gap(stage: Stage) -> None:
    """The store lost the room while it was joined: the gap is told and a snapshot follows."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("before")
    stage.settle()
    stage.server.lose_store()
    bob.say("after")
    stage.slow = True
    stage.settle()
    stage.deliver(1)
    stage.show()
    stage.slow = False


@scenario()
def server_killed(stage: Stage) -> None:
    """The server is killed and started again on its store: nothing is missed, nobody left."""
    stage.begin("general")
    bob = stage.person("bob", "general")
    bob.say("before")
    stage.settle()
    stage.restart()
    stage.wait(1_000)
    stage.do("send", room="general", message="after")


@scenario()
def advised_to_move(stage: Stage) -> None:
    """A server that stops says when to come back; the client waits as long as it was told."""
    stage.begin("general")
    stage.server.node.step(Drain("the server is stopping"))
    stage.settle()
    stage.server.restart()
    stage.wait(3_000)


@scenario()
def advised_but_not_closed(stage: Stage) -> None:
    """The advice holds even if the server does not close."""
    stage.begin("general")
    advice = {"after_ms": 1_000, "max_jitter_ms": 500, "reason": "moving"}
    stage.inject("reconnect", advice)
    stage.wait(2_000)


@scenario()
def session_replaced(stage: Stage) -> None:
    """Told 4005, a client forgets its session and comes back as another tab of the same user."""
    stage.begin("general")
    stage.close(4005)
    stage.wait(1_000)


@scenario()
def session_again(stage: Stage) -> None:
    """The session of an earlier welcome brings the tab back."""
    stage.begin("general")
    stage.wait(6_000)
    stage.cut()
    stage.wait(1_000)


@scenario(token="guest-token-7", session="session-s7", username="alice")
def secrets_kept(stage: Stage) -> None:
    """A client that kept its secrets presents them in its first hello."""
    stage.begin("general")


@scenario(guests=False, token="token-alice")
def users_of_the_host(stage: Stage) -> None:
    """With users of the host's own, its token is presented each time; there is no guest token."""
    stage.begin("general")
    stage.cut()
    stage.wait(1_000)


@scenario()
def back_off(stage: Stage) -> None:
    """Each failure doubles the ceiling, up to 20 s; random() is 0.5. A hint begins anew."""
    stage.reachable = False
    stage.begin("general")
    stage.wait(60_000)
    stage.do("hint")
    stage.wait(1_000)
    stage.reachable = True
    stage.wait(1_000)


@scenario()
def back_off_begins_anew(stage: Stage) -> None:
    """A connection that lived 5 s was no failure; one that did not was."""
    stage.begin()
    for _ in range(3):
        stage.cut()
        stage.wait(2_000)
    stage.wait(6_000)
    stage.cut()


@scenario()
def heartbeat(stage: Stage) -> None:
    """A ping is answered; a connection nothing is heard of is given up."""
    stage.begin("general")
    stage.wait(26_000)
    stage.slow = True
    stage.wait(36_000)
    stage.slow = False


@scenario()
def probed_after_a_hint(stage: Stage) -> None:
    """After a hint the server is asked whether it is there, and given up soon if it is not."""
    stage.begin("general")
    stage.do("hint")
    stage.wait(5_000)
    stage.deaf = True
    stage.do("hint")
    stage.wait(4_100)
    stage.deaf = False
    stage.wait(1_000)


@scenario()
def no_welcome(stage: Stage) -> None:
    """A server that does not greet is given up after 10 s."""
    stage.deaf = True
    stage.begin("general")
    stage.wait(10_100)
    stage.deaf = False
    stage.wait(1_000)


@scenario()
def hello_refused(stage: Stage) -> None:
    """Told before the welcome that the token is nobody's, a client stops, and says why."""
    stage.deaf = True
    stage.do("join", room="general")
    stage.do("start")
    stage.do("send", room="general", message="never sent")
    stage.tell(Failure(ErrorCode.UNAUTHENTICATED, "nobody is known by these credentials"))
    stage.show()
    stage.deaf = False
    stage.do("start")


@scenario()
def hello_refused_for_now(stage: Stage) -> None:
    """An error before the welcome that may pass: come back, not sooner than told."""
    stage.deaf = True
    stage.do("start")
    stage.tell(Failure(ErrorCode.HOOK_TIMEOUT, "that took too long", None, None, 3_000))
    stage.deaf = False
    stage.wait(4_000)


@scenario()
def stop_codes(stage: Stage) -> None:
    """4500 to 4999 are for good; below and above, a client comes back."""
    stage.begin("general")
    for code in (1009, 4000, 4001, 4010, 4020, 4499, 5000):
        stage.close(code)
        stage.wait(20_000)
    stage.close(4503)
    stage.wait(60_000)


@scenario()
def stopped_by_the_application(stage: Stage) -> None:
    """Stopping leaves the rooms and gives up what is not sent; starting again joins again."""
    stage.begin("general")
    stage.person("bob", "general").say("hello")
    stage.settle()
    stage.deaf = True
    stage.do("send", room="general", message="too late")
    stage.deaf = False
    stage.do("stop")
    stage.show()
    stage.wait(1_000)
    stage.do("start")
